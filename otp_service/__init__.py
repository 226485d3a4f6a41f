"""The OTP service: a one-time code to a phone over WhatsApp, and whether it is right."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from flask import Flask
from flask_migrate import Migrate

from otp_service import cli
from otp_service.delivery import gupshup
from otp_service.delivery.sandbox import SandboxSender
from otp_service.domain.codes import Codes
from otp_service.domain.limits import Policy
from otp_service.domain.ports import Message, Sender
from otp_service.domain.sending import Sending
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Channel
from otp_service.environ import SettingsError, process_environment
from otp_service.settings import Settings
from otp_service.storage import engines
from otp_service.storage.api_keys import KeyRing
from otp_service.storage.database import Database
from otp_service.storage.homes import Homes
from otp_service.storage.models import db, engines_of
from otp_service.storage.schema import MIGRATIONS
from otp_service.storage.verifications import SqlStore
from otp_service.web import docs, errors, headers, openapi, ops, otp, sandbox, verifications
from otp_service.web.parts import Parts
from otp_service.web.requests import MAX_BODY_BYTES

ROOT = Path(__file__).resolve().parent.parent
log = logging.getLogger(__name__)


def create_app(
    environ: Mapping[str, str] | None = None, *, instance: Path = ROOT / "instance"
) -> Flask:
    """The application; the one place that knows every part.

    Settings come from ``environ``: by default the process's own, and `.env`. Raises
    `SettingsError` with all that is wrong with them.
    """
    if environ is None:
        environ = process_environment(ROOT)
    settings = Settings.from_env(environ, instance)
    app = Flask(
        __name__,
        instance_path=str(instance),
        template_folder="web/templates",
        static_folder="web/static",
        static_url_path="/static",
    )
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.url_map.merge_slashes = False  # "//health" is another path, not a redirect
    app.json.sort_keys = False  # type: ignore[attr-defined] # success first, as documented
    app.extensions["otp_settings"] = settings
    _add_databases(app, settings)
    app.extensions["otp_service"] = _parts(app, settings)
    _add_web(app, settings)
    cli.init_app(app)
    return app


def _add_databases(app: Flask, settings: Settings) -> None:
    urls = {None: settings.database_url, "fallback": settings.fallback_url}
    app.config["SQLALCHEMY_BINDS"] = {
        name: {"url": url, **engines.options(url, settings.threads)}
        for name, url in urls.items()
        if url
    }
    db.init_app(app)
    Migrate(app, db, directory=str(MIGRATIONS))
    for number, engine in enumerate(engines_of(app)):
        try:
            engines.prepare(engine)
        except OSError as error:
            variable = ("DATABASE_URL", "FALLBACK_DATABASE_URL")[number]
            raise SettingsError([f"{variable}: the file can't be made: {error.strerror}"]) from None


def _homes(settings: Settings, database: Database, fallback: Database | None = None) -> Homes:
    secrets = len(settings.secrets)
    primary = SqlStore(database, secrets_count=secrets)
    if fallback is None:
        return Homes(primary)
    instances = settings.instance_count
    return Homes(primary, SqlStore(fallback, secrets_count=secrets, instances=instances))


def _parts(app: Flask, settings: Settings) -> Parts:
    databases = [Database(engine) for engine in engines_of(app)]
    homes = _homes(settings, *databases)
    test_sender: Sender = SandboxSender()
    sender = test_sender if settings.sandbox else gupshup.GupshupSender(settings.gupshup)
    sending = Sending(
        store=homes,
        codes=Codes(settings.secrets, settings.code_length, settings.fixed_codes),
        senders={Channel.WHATSAPP: sender},
        test_sender=test_sender,
        policy=Policy(
            lifetime=settings.expiry,
            max_attempts=settings.max_attempts,
            grace=settings.grace_codes,
            expose_code=settings.expose_code,
            test_numbers=frozenset(settings.test_numbers),
        ),
    )
    sample = Message("+1234567890", "123456", settings.expiry)
    return Parts(
        service=OtpService(sending),
        keys=KeyRing(*databases) if settings.api_keys_required else None,
        provider=sender.provider,
        sender_configuration=lambda: (
            gupshup.describe(settings.gupshup) | {"provider": sender.provider}
        ),
        sample_request=lambda: gupshup.preview(settings.gupshup, sample),
        start=homes.drain,
    )


def _add_web(app: Flask, settings: Settings) -> None:
    errors.init_app(app)
    headers.init_app(app)
    blueprints = [
        otp.blueprint(settings.code_length, channels=[Channel.WHATSAPP.value]),
        verifications.bp,
        verifications.cancel_bp,
        ops.bp,
        ops.debug_bp,
        docs.bp,
    ]
    if settings.sandbox:
        blueprints.append(sandbox.bp)
    openapi.init_app(app, blueprints, keys_required=settings.api_keys_required)
