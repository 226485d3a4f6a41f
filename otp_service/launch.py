"""`python wsgi.py`: check the settings, make ready, and serve in one process or several."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from contextlib import suppress

import sqlalchemy as sa
from flask import Flask

from otp_service import create_app, log, logs
from otp_service.environ import SettingsError
from otp_service.server import Server, listen
from otp_service.settings import Settings, settings_of
from otp_service.shared_counts import Join, shared_counts
from otp_service.storage.late_upgrade import upgrade_when_there
from otp_service.storage.models import engines_of
from otp_service.storage.schema import SchemaIsNewer, upgrade
from otp_service.storage.transaction import describe
from otp_service.web.parts import parts_of

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def _application() -> Flask:
    """With logs as its settings want them."""
    app = create_app()
    logs.follow(settings_of(app))
    return app


def serve(app: Flask, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT."""
    if (engine := engines_of(app)[0]).dialect.name == "postgresql":
        upgrade_when_there(engine)
    parts = parts_of(app)
    parts.start()
    server = Server(app, listener, settings_of(app).threads)

    def stop(*_: object) -> None:
        parts.worker.stop()
        server.stop()

    for number in _STOP_SIGNALS:
        signal.signal(number, stop)
    server.run()
    parts.worker.join()


def _fork(listener: socket.socket, processes: int, join_counts: Join) -> None:
    """Serve in children, each with its own application; replace one that dies."""
    stopping = False

    def start(place: int) -> int:
        child = os.fork()
        if child == 0:
            for number in _STOP_SIGNALS:  # not this parent's way of stopping
                signal.signal(number, signal.SIG_DFL)
            join_counts(place)
            serve(_application(), listener)
            os._exit(0)
        return child

    def stop(number: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)

    children = {start(place): place for place in range(processes)}
    for number in _STOP_SIGNALS:
        signal.signal(number, stop)
    while children:
        child, status = os.wait()
        place = children.pop(child)
        if not stopping:
            log.error("a server process ended; starting another", extra={"status": status})
            time.sleep(1)
        if not stopping:  # it may be by now
            children[start(place)] = place


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
    """`python wsgi.py`: exits with 2 if the configuration can't work, 1 if the port is taken."""
    logs.configure()
    try:
        app = _application()
    except SettingsError as error:
        error.show()
        sys.exit(error.exit_code)
    settings = settings_of(app)
    for engine in engines_of(app):
        _prepare(engine)
    try:
        listener = listen(settings.host, settings.port)
    except OSError as error:
        log.error("can't listen on %s port %d: %s", settings.host, settings.port, error.strerror)
        sys.exit(1)
    _announce(settings, listener.getsockname()[1])
    if settings.processes == 1:
        serve(app, listener)
    else:
        with shared_counts(settings.processes) as join_counts:
            _fork(listener, settings.processes, join_counts)
