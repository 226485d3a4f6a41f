"""Serving in this process until a signal."""

from __future__ import annotations

import resource
import signal
import socket
import sys
from contextlib import suppress

from flask import Flask

from otp_service import log
from otp_service.server import servers
from otp_service.server.last_call import LastCall
from otp_service.settings import settings_of
from otp_service.storage.models.base import engines_of
from otp_service.storage.schema import upgrade_when_there
from otp_service.web.dependencies import dependencies_of

SWITCH_SECONDS = 0.0002
"""How long a thread computes while others wait to: few calls let go of the interpreter, and who
comes back from a database asks for it several times a request.
"""
OPEN_FILES = 4096
"""If the system lets us: each of so many connections may be sent a file."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def serve(app: Flask, listener: socket.socket, *, asked: bool) -> None:
    """Serve until SIGTERM or SIGINT.

    ``asked`` says that the database has shown that it gives what it must.
    """
    if not asked:
        dependencies_of(app).ask_database()
    elif (engine := engines_of(app)[0]).dialect.name == "postgresql":
        upgrade_when_there(engine)
    with dependencies_of(app).exporting_spans():
        _serve(app, listener)
    log.info("stopped")


def _serve(app: Flask, listener: socket.socket) -> None:
    dependencies = dependencies_of(app)
    dependencies.start()
    server = servers.make(app, listener)

    def stop(number: int, _frame: object) -> None:
        server.stop(number)

    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    sys.setswitchinterval(SWITCH_SECONDS)
    _open_more_files()
    seconds = settings_of(app).shutdown_delay
    server.run(LastCall(seconds, dependencies.stopping.set, dependencies.stop))
    dependencies.worker.join()
    dependencies.telling.join()


def _open_more_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, OPEN_FILES)), hard))
