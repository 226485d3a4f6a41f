"""The server: waitress that finishes what it began, in one process or several.

`waitress-serve` by itself drops the requests in flight at SIGTERM, and as process 1 of a
container does not hear it at all.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Any

from flask import Flask
from waitress import create_server
from waitress.channel import HTTPChannel
from waitress.task import ErrorTask

from otp_service import create_app, log
from otp_service.environ import SettingsError
from otp_service.settings import Settings
from otp_service.storage.models import db
from otp_service.storage.schema import upgrade
from otp_service.web import errors

DRAIN_SECONDS = 20  # more than a provider may take, less than orchestrators wait before SIGKILL
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_REFUSALS = {413: errors.BodyTooLarge, 500: errors.InternalError}


class _EnvelopeTask(ErrorTask):
    """What waitress refuses before the application sees it, in the application's words."""

    def execute(self) -> None:
        error = self.request.error
        refusal = _REFUSALS.get(error.code, errors.BadRequest)()
        body = json.dumps(errors.body(refusal)).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers += [
            ("Content-Type", "application/json"),
            ("Cache-Control", "no-store"),
            ("X-Request-ID", secrets.token_hex(16)),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):
    error_task_class = _EnvelopeTask


class Server:
    """One process's server on a listening socket, which several processes may share."""

    def __init__(self, app: Flask, listener: socket.socket, threads: int) -> None:
        self._stopping = False
        self._waitress: Any = create_server(
            app,
            sockets=[listener],
            threads=threads,
            ident=None,
            connection_limit=1000,
            channel_timeout=30,
            channel_request_lookahead=0,
            asyncore_use_poll=True,
            max_request_body_size=1024 * 1024,  # up to here the application says 413 itself
            clear_untrusted_proxy_headers=True,
        )
        self._waitress.channel_class = _Channel

    def run(self) -> None:
        """Serve until `stop`, then answer what has been asked already."""
        while not self._stopping:
            self._turn(1.0)
        self._turn(0)  # accept who has connected by now
        self._waitress.del_channel()
        self._waitress.socket.close()
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._busy() and time.monotonic() < deadline:
            self._turn(0.1)
        self._waitress.task_dispatcher.shutdown()

    def stop(self, *_: object) -> None:
        """Safe in a signal handler."""
        self._stopping = True
        self._waitress.pull_trigger()

    def _turn(self, seconds: float) -> None:
        self._waitress.asyncore.loop(
            timeout=seconds, map=self._waitress._map, use_poll=True, count=1
        )

    def _busy(self) -> bool:
        channels = list(self._waitress.active_channels.values())
        return any(c.requests or c.request or c.total_outbufs_len for c in channels)


def serve(app: Flask, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT."""
    server = Server(app, listener, _settings(app).threads)
    for number in _STOP_SIGNALS:
        signal.signal(number, server.stop)
    server.run()


def _settings(app: Flask) -> Settings:
    settings: Settings = app.extensions["otp_settings"]
    return settings


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(1024)
    listener.setblocking(False)
    return listener


def _fork(listener: socket.socket, processes: int) -> None:
    """Serve in children, each with its own application; replace one that dies."""
    stopping = False

    def start() -> int:
        child = os.fork()
        if child == 0:
            for number in _STOP_SIGNALS:  # not this parent's way of stopping
                signal.signal(number, signal.SIG_DFL)
            serve(create_app(), listener)
            os._exit(0)
        return child

    def stop(number: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)

    children = {start() for _ in range(processes)}
    for number in _STOP_SIGNALS:
        signal.signal(number, stop)
    while children:
        child, status = os.wait()
        children.discard(child)
        if not stopping:
            log.error("a server process ended with status %d; starting another", status)
            time.sleep(1)
            children.add(start())


def _announce(settings: Settings, port: int) -> None:
    for warning in settings.warnings:
        log.warning("%s", warning)
    base = f"http://{settings.host}:{port}"
    if settings.sandbox:
        log.warning("no Gupshup key: sandbox. Messages arrive at %s/sandbox", base)
    log.info("serving at %s (API documentation: %s/docs)", base, base)


def main() -> None:
    """`python wsgi.py`: exits with 2 if the configuration can't work, 1 if the port is taken."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        app = create_app()
    except SettingsError as error:
        error.show()
        sys.exit(error.exit_code)
    settings = _settings(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":  # a local file is ours alone: no separate step
            upgrade(db.engine)
        db.engine.dispose()
    try:
        listener = listen(settings.host, settings.port)
    except OSError as error:
        log.error("can't listen on %s port %d: %s", settings.host, settings.port, error.strerror)
        sys.exit(1)
    _announce(settings, listener.getsockname()[1])
    if settings.processes == 1:
        serve(app, listener)
    else:
        _fork(listener, settings.processes)
