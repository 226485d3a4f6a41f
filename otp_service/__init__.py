"""The OTP service: a one-time code to a phone over WhatsApp, and whether it is right."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask import Flask

from otp_service import bootstrap, cli
from otp_service.domain.verification import Channel
from otp_service.environment import SettingsError
from otp_service.settings import Settings
from otp_service.settings.env_file import process_environment
from otp_service.storage.db import engine as engines
from otp_service.storage.models.base import db, engines_of
from otp_service.web import auth, error_handlers, openapi, request_log, request_span, views
from otp_service.web.bodies import MAX_BODY_BYTES
from otp_service.web.dependencies import Dependencies
from otp_service.web.hooks import hooks
from otp_service.web.json_provider import JsonProvider

ROOT = Path(__file__).resolve().parent.parent
log = logging.getLogger(__name__)


class Application(Flask):
    """Flask without what it does at each request for views and sessions that nobody has here."""

    json_provider_class = JsonProvider

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """None of them is a coroutine."""
        return func


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
    app = Application(__name__, instance_path=str(instance))
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.url_map.merge_slashes = False  # "//health" is another path, not a redirect
    app.extensions["otp_settings"] = settings
    _add_databases(app, settings)
    dependencies = bootstrap.dependencies(settings, engines_of(app))
    app.extensions["otp_service"] = dependencies
    _add_web(app, settings, dependencies)
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
    # It would end each request's `db.session`. Nobody has one: see `storage.db.transaction`.
    app.teardown_appcontext_funcs.clear()
    names, problems = ("DATABASE_URL", "FALLBACK_DATABASE_URL"), []
    for name, engine in zip(names, engines_of(app), strict=False):
        try:
            engines.prepare(engine)
        except OSError as error:
            problems.append(f"{name}: the file can't be made: {error.strerror}")
    if problems:
        raise SettingsError(problems)


def _add_web(app: Flask, settings: Settings, dependencies: Dependencies) -> None:
    error_handlers.init_app(app)
    request_log.init_app(app, dependencies.metrics)
    if dependencies.tracing:
        request_span.init_app(app, dependencies.tracing)
    blueprints = views.blueprints(
        dependencies,
        code_length=settings.code_length,
        channels=list(Channel) if settings.has_sms else [Channel.WHATSAPP],
        callbacks=[each for provider in settings.providers for each in provider.callbacks],
        hooks_on=hooks(settings.hooks.secrets, settings.hooks.channel),
        proxies=settings.trusted_proxies,
        sandbox_numbers=dict(settings.test_numbers) if settings.sandbox else None,
    )
    scopes = {blueprint.name: blueprint.scopes for blueprint in blueprints}
    auth.init_app(app, dependencies.clients, scopes)
    openapi.init_app(app, blueprints, keys_required=settings.api_keys_required)
