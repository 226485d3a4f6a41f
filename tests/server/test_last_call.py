"""A server goes without losing a request: it is told first, then connections end in order."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from flask import Flask

from otp_service.server.last_call import LastCall
from otp_service.server.waitress_server import Server, listen
from tests.delivery import misbehaving
from tests.faults.processes import PATIENCE, account
from tests.faults.waiting import until
from tests.server.processes import PHONE, Start


def connect(url: str) -> HTTPConnection:
    return HTTPConnection(urlsplit(url).netloc, timeout=20)


def ask(connection: HTTPConnection, path: str) -> tuple[int, str | None, bytes]:
    """Status, what is said of the connection, and the body."""
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.getheader("Connection"), response.read()


@pytest.mark.parametrize("server", ["waitress", "granian"])
def test_from_sigterm_on_ready_says_so_and_requests_are_still_answered(
    start: Start, server: str
) -> None:
    if server == "granian":
        pytest.importorskip("granian")
    process, url = start(OTP_SHUTDOWN_DELAY_SECONDS="60", OTP_SERVER=server)
    with closing(connect(url)) as kept, closing(connect(url)) as other:
        assert ask(kept, "/ready")[:2] == (200, None)
        process.terminate()
        until(lambda: ask(other, "/ready")[0] == 503)
        assert json.loads(ask(other, "/ready")[2])["error"]["state"]["status"] == "stopping"
        assert ask(kept, "/health")[:2] == (200, "close")
        assert ask(kept, "/health")[:2] == (200, "close")  # on a new connection, then
    process.send_signal(signal.SIGINT)
    log = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 0
    assert "stopping soon" in log


def test_it_ends_by_itself_however_often_it_is_told(start: Start) -> None:
    process, _ = start(OTP_SHUTDOWN_DELAY_SECONDS="1")
    process.terminate()
    process.terminate()  # as children get it from their parent, and from systemd
    log = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 0
    assert log.count("stopping soon") == 1


def test_who_stops_it_by_hand_does_not_wait(start: Start) -> None:
    process, _ = start(OTP_SHUTDOWN_DELAY_SECONDS="60")
    process.send_signal(signal.SIGINT)
    assert "stopping soon" not in process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 0


@pytest.fixture
def slow() -> tuple[Flask, threading.Event, threading.Event]:
    """An application; whether somebody asks it for /slow; when that may be answered."""
    app, asked, may_end = Flask(__name__), threading.Event(), threading.Event()

    def wait() -> str:
        asked.set()
        may_end.wait(60)
        return "slow"

    app.add_url_rule("/slow", "slow", wait)
    app.add_url_rule("/fast", "fast", lambda: "fast")
    return app, asked, may_end


def in_thread(call: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=call)
    thread.start()
    return thread


def test_idle_connections_end_while_others_are_still_answered(
    slow: tuple[Flask, threading.Event, threading.Event],
) -> None:
    app, asked, may_end = slow
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = Server(app, listener, 4)
    serving = in_thread(server.run)
    idle, busy, answers = connect(url), connect(url), []
    assert ask(idle, "/fast") == (200, None, b"fast")
    asking = in_thread(lambda: answers.append(ask(busy, "/slow")))
    assert asked.wait(60)
    server.stop()
    assert idle.sock.recv(1) == b""  # they hang up, long before all is answered
    assert asking.is_alive()
    may_end.set()
    for thread in (asking, serving):
        thread.join()
    assert answers == [(200, "close", b"slow")]


def test_what_comes_on_kept_connections_in_the_last_call_is_answered(
    slow: tuple[Flask, threading.Event, threading.Event],
) -> None:
    app, _, may_end = slow
    may_end.set()
    listener, announced, over = listen("127.0.0.1", 0), threading.Event(), threading.Event()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = Server(app, listener, 4)
    call = LastCall(60, announced.set, over.set)
    serving = in_thread(lambda: server.run(call))
    kept = [connect(url) for _ in range(8)]
    assert [ask(each, "/fast") for each in kept] == [(200, None, b"fast")] * 8
    server.stop(signal.SIGTERM)
    assert announced.wait(60)
    assert not over.is_set()
    assert [ask(each, "/fast") for each in kept] == [(200, "close", b"fast")] * 8
    server.stop(signal.SIGINT)
    serving.join()
    assert over.is_set()


def test_with_several_processes_nobody_connects_in_vain_while_they_end(start: Start) -> None:
    """The parent's own hold on the socket would let them, and nobody would ever answer."""
    may_end, asked = threading.Event(), threading.Event()

    def slowly(sock: socket.socket, over: threading.Event) -> None:
        asked.set()
        may_end.wait(60)
        sock.sendall(misbehaving.http())

    with misbehaving.serve(slowly) as gupshup:
        process, url = start(WEB_CONCURRENCY="2", **account(gupshup.url))
        with closing(connect(url)) as sending:
            body = json.dumps(PHONE)
            sending.request("POST", "/send-otp", body, {"Content-Type": "application/json"})
            assert asked.wait(60)
            process.terminate()
            until(lambda: is_refused(url))
            may_end.set()
            assert sending.getresponse().status == 200


def is_refused(url: str) -> bool:
    try:
        with closing(connect(url)) as connection:
            connection.connect()
    except ConnectionRefusedError:
        return True
    return False
