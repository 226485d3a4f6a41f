"""An answer reaches who asked: slowly read, half closed, one behind another."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from flask import Flask, Response

from otp_service.server import poller, waitress_server
from otp_service.server.poller import Epoll, Poll
from tests.conftest import LiveServer, Serve

LARGE = 24 * 1024 * 1024  # bytes: more than waitress lets wait, and than a socket takes
GET = b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(params=[Epoll, Poll], autouse=True)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poller, "make", request.param)


@pytest.fixture
def ended() -> threading.Event:
    """The large answer has been written as a whole, or given up."""
    return threading.Event()


@pytest.fixture
def site(ended: threading.Event) -> Flask:
    """Small and large answers, and one that waits for the test's permission."""
    app = Flask(__name__)

    def pieces() -> Iterator[bytes]:
        try:
            for _ in range(LARGE // 65536):
                yield b"a" * 65536
        finally:
            ended.set()

    def large() -> Response:
        return Response(pieces(), headers={"Content-Length": str(LARGE)})

    may_end = threading.Event()
    app.extensions["may end"] = may_end
    app.add_url_rule("/small", "small", lambda: "small")
    app.add_url_rule("/large", "large", large)
    app.add_url_rule("/waits", "waits", lambda: str(may_end.wait(20)))
    return app


def connect(server: LiveServer) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), 20)


def body(client: socket.socket) -> bytes:
    with client.makefile("rb") as stream:
        length = 0
        while line := stream.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return stream.read(length)


def test_who_reads_late_gets_all_and_keeps_the_connection(
    site: Flask, serve: Serve, ended: threading.Event
) -> None:
    server = serve(site)
    with connect(server) as client:
        client.sendall(GET % b"/large")
        assert not ended.wait(0.5)  # the thread waits for who reads
        assert len(body(client)) == LARGE
        assert ended.wait(20)
        client.sendall(GET % b"/small")
        assert body(client) == b"small"


def test_who_reads_no_more_keeps_no_thread(
    site: Flask, serve: Serve, ended: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(waitress_server.ADJUSTMENTS, "channel_timeout", 1)
    server = serve(site)
    with connect(server) as client:
        client.sendall(GET % b"/large")
        assert ended.wait(20)


def test_who_hangs_up_keeps_no_thread(site: Flask, serve: Serve, ended: threading.Event) -> None:
    with connect(serve(site)) as client:
        client.sendall(GET % b"/large")
        assert not ended.wait(0.2)
    assert ended.wait(20)


def test_who_has_said_all_is_answered_and_hung_up_on(site: Flask, serve: Serve) -> None:
    with connect(serve(site)) as client:
        client.sendall(GET % b"/small")
        client.shutdown(socket.SHUT_WR)
        assert body(client) == b"small"
        assert client.recv(1) == b""


def test_a_first_answer_does_not_wait_for_the_second(site: Flask, serve: Serve) -> None:
    with connect(serve(site)) as client:
        client.sendall(GET % b"/small" + GET % b"/waits")
        assert body(client) == b"small"
        site.extensions["may end"].set()
        assert body(client) == b"True"
