"""`python wsgi.py`: check the settings, make ready, and serve in one process or several."""

from __future__ import annotations

import os
import sys

import sqlalchemy as sa
from flask import Flask

from otp_service import create_app, log
from otp_service.environment import SettingsError
from otp_service.observability import log_setup
from otp_service.observability.multiprocess import shared_counts
from otp_service.server import arguments, servers
from otp_service.server.serving import serve
from otp_service.server.supervisor import serve_in_children
from otp_service.server.waitress_server import listen
from otp_service.settings import Settings, settings_of
from otp_service.storage import admission
from otp_service.storage.db.failures import describe
from otp_service.storage.models.base import engines_of
from otp_service.storage.schema import SchemaIsNewer, upgrade


def _application() -> Flask:
    """With logs as its settings want them."""
    app = create_app()
    settings = settings_of(app)
    log_setup.configure(settings.log_level, settings.log_format, settings.redacted)
    return app


def _prepare(engine: sa.Engine) -> None:
    """A local file is ours alone, so it needs no separate step."""
    try:
        if engine.dialect.name == "sqlite":
            upgrade(engine)
    except SchemaIsNewer:
        log.warning("the SQLite file's schema is newer than this release: left as it is")
    except sa.exc.SQLAlchemyError as error:
        log.error("the SQLite file can't be used: %s", describe(error))
        sys.exit(1)
    engine.dispose()


def _ask(engine: sa.Engine) -> bool:
    """Whether the database has shown that it gives what it must."""
    try:
        return admission.ask(engine)
    except admission.Unfit as unfit:
        log.error("%s", unfit)
        sys.exit(2)
    finally:
        engine.dispose()  # no child may have a connection of its parent's


def _announce(settings: Settings, port: int) -> None:
    for warning in settings.warnings:
        log.warning("%s", warning)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    base, messages = f"http://{host}:{port}", ""
    if settings.sandbox:
        log.warning("no WhatsApp sender is configured: this is the sandbox, nothing is sent")
        messages = f", messages at {base}/sandbox"
    log.info("Listening on %s, documentation at %s/docs%s", base, base, messages)


def main() -> None:
    """`python wsgi.py`: exits with 2 if the configuration or the database can't work or arguments
    are given, with 1 if the port is taken.
    """
    arguments.parse(sys.argv[1:])
    log_setup.configure()
    try:
        app = _application()
        servers.look_for(settings_of(app).server)
    except SettingsError as error:
        error.show()
        sys.exit(error.exit_code)
    settings = settings_of(app)
    for engine in engines_of(app):
        _prepare(engine)
    asked = _ask(engines_of(app)[0])
    try:
        listener = listen(settings.host, settings.port)
    except OSError as error:
        why = f"{error.strerror}; HOST and PORT say where to listen"
        log.error("can't listen on %s port %d: %s", settings.host, settings.port, why)
        sys.exit(1)
    _announce(settings, listener.getsockname()[1])
    if settings.processes == 1:
        serve(app, listener, asked=asked)
        if settings.server == "granian":
            os._exit(0)  # its threads may still be ending, which an interpreter that ends aborts
    else:
        with shared_counts(settings.processes) as join_counts:

            def serve_at(place: int) -> None:
                join_counts(place)
                serve(_application(), listener, asked=asked)

            serve_in_children(serve_at, listener, settings.processes)
