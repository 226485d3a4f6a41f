"""Clients that begin a request and take their time: nobody else waits for them, nor for ever."""

from __future__ import annotations

import re
import resource
import select
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests
from flask import Flask

from otp_service.server import connection, waitress_server
from tests.conftest import LiveServer, Serve
from tests.server.processes import Start, start

__all__ = ["start"]

PHONE = {"phone_number": "+919876543210"}
POST = b"POST /send-otp HTTP/1.1\r\nHost: x\r\n"
BODY = POST + b"Content-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
CHUNK = POST + b"Transfer-Encoding: chunked\r\n\r\n384\r\n{"
HEADERS = b"GET /health HTTP/1.1\r\nHost: x\r\nX-Any: "
MIB = 1024 * 1024
Begin = Callable[..., list[socket.socket]]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Many connections that say the beginning of a request; all are closed at the end."""
    with ExitStack() as stack:

        def start(server: LiveServer, beginning: bytes, count: int = 120) -> list[socket.socket]:
            host, port = server.url.removeprefix("http://").split(":")
            opened = []
            for _ in range(count):
                opened.append(stack.enter_context(socket.create_connection((host, int(port)), 20)))
                opened[-1].sendall(beginning)
            return opened

        yield start


@pytest.fixture
def drip() -> Iterator[Callable[[list[socket.socket]], None]]:
    """Say another byte on every connection, again and again, until the test ends."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def run(clients: list[socket.socket]) -> None:
        while not over.wait(0.05):
            for client in clients:
                try:
                    client.send(b"a")
                except OSError:
                    continue

    def start(clients: list[socket.socket]) -> None:
        threads.append(threading.Thread(target=run, args=[clients]))
        threads[-1].start()

    yield start
    over.set()
    for thread in threads:
        thread.join()


def check_that_others_are_served(server: LiveServer) -> None:
    sent = requests.post(f"{server.url}/send-otp", json=PHONE, timeout=20).json()["data"]
    body = PHONE | {"otp": sent["otp"]}
    assert requests.post(f"{server.url}/verify-otp", json=body, timeout=20).json()["success"]


def still_open(clients: list[socket.socket]) -> list[socket.socket]:
    """Nobody has said anything to them, and nobody has hung up."""
    poll = select.poll()  # select() can't watch descriptors above 1023
    for client in clients:
        poll.register(client, select.POLLIN)
    readable = {descriptor for descriptor, _ in poll.poll(0)}
    return [client for client in clients if client.fileno() not in readable]


@pytest.mark.statement(19)
def test_half_a_request_of_many_keeps_nobody_from_being_served(
    live_server: LiveServer, begin: Begin
) -> None:
    for beginning in (BODY, CHUNK, HEADERS):
        waiting = begin(live_server, beginning)
        check_that_others_are_served(live_server)
        assert len(still_open(waiting)) == len(waiting)


@pytest.mark.statement(19)
@pytest.mark.parametrize("beginning", [BODY, HEADERS], ids=["body", "headers"])
def test_who_drips_is_hung_up_on_and_keeps_nobody_from_being_served(
    live_server: LiveServer,
    begin: Begin,
    drip: Callable[[list[socket.socket]], None],
    monkeypatch: pytest.MonkeyPatch,
    beginning: bytes,
) -> None:
    honest = HTTPConnection(live_server.url.removeprefix("http://"), timeout=20)
    honest.request("GET", "/health")
    honest.getresponse().read()
    dripping = begin(live_server, beginning)
    drip(dripping)
    check_that_others_are_served(live_server)
    assert len(still_open(dripping)) == len(dripping)
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.5)
    for client in dripping:
        assert heard(client) == b""
    own = honest.sock
    honest.request("GET", "/health")  # kept alive: what counts is a request's time, not its own
    assert honest.getresponse().status == 200
    assert honest.sock is own
    honest.close()


def heard(client: socket.socket) -> bytes:
    """What comes until the server hangs up, for which the socket's timeout is 20 seconds."""
    try:
        return client.recv(100)
    except ConnectionError:
        return b""


@pytest.mark.statement(19)
def test_an_answer_may_take_longer_than_its_request(
    app: Flask, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.1)
    asked = threading.Event()
    app.add_url_rule("/slow", view_func=lambda: str(asked.wait(1.1)))
    assert requests.get(f"{serve(app).url}/slow", timeout=20).text == "False"


@pytest.mark.statement(19)
def test_where_all_connections_are_taken_newcomers_wait_until_one_is_free(
    app: Flask, serve: Serve, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waitress_server, "CONNECTIONS", 20)
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.5)
    live = serve(app)
    begin(live, BODY, count=20)
    assert requests.get(f"{live.url}/health", timeout=20).status_code == 200


def resident(process: subprocess.Popen[str]) -> int:
    """Bytes of memory that the process has."""
    (kib,) = re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    return int(kib) * 1024


@pytest.fixture
def many_files() -> Iterator[None]:
    """As many open ones as this process may have at all."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


BEGINNINGS = {
    "a large body": POST + b"Content-Length: 900000\r\n\r\n" + b" " * 300_000,
    "one in chunks": POST + b"Transfer-Encoding: chunked\r\n\r\nDBBA0\r\n" + b" " * 300_000,
    "all but its end": POST + b"Content-Length: 16384\r\n\r\n" + b" " * 16_383,
    "for a webhook": POST.replace(b"/send-otp", b"/webhooks/gupshup")
    + b"Content-Length: 262144\r\n\r\n"
    + b" " * 262_143,
    "for Meta's": POST.replace(b"/send-otp", b"/webhooks/meta")
    + b"Content-Length: 3145728\r\n\r\n"
    + b" " * 300_000,
    "headers": POST + b"X-Any: " + b"a" * 30_000,
}


@pytest.mark.statement(26)
@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize("beginning", BEGINNINGS.values(), ids=BEGINNINGS.keys())
def test_nine_hundred_half_sent_requests_take_less_than_150_mib(
    start: Start, beginning: bytes
) -> None:
    process, url = start()
    before = resident(process)
    host, port = url.removeprefix("http://").split(":")
    with ExitStack() as stack:
        for _ in range(900):
            client = stack.enter_context(socket.create_connection((host, int(port)), 20))
            with suppress(ConnectionError):  # it may have been told to go
                client.sendall(beginning)
        assert requests.get(f"{url}/health", timeout=20).status_code == 200
        assert resident(process) - before < 150 * MIB
