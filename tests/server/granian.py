"""The servers of the tests, by Granian: what is tested with waitress is tested with it, too."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest
from flask import Flask

from otp_service.server.waitress_server import listen
from tests.conftest import LiveServer, Serve
from tests.server.processes import Start

pytest.importorskip("granian", reason="granian is an extra: requirements-granian.txt")

from otp_service.server.granian_server import Server

__all__ = ["serve", "start"]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """In a thread of this process."""
    started: list[tuple[Server, threading.Thread]] = []

    def start(app: Flask) -> LiveServer:
        listener = listen("127.0.0.1", 0)
        port = listener.getsockname()[1]
        server = Server(app, listener, threads=16)
        thread = threading.Thread(target=server.run)
        thread.start()
        started.append((server, thread))
        return LiveServer(f"http://127.0.0.1:{port}", app)

    yield start
    for server, thread in started:
        server.stop()
        thread.join()


@pytest.fixture
def start(start: Start) -> Start:
    """`python wsgi.py` with it."""
    return partial(start, OTP_SERVER="granian")
