"""Large bodies on real sockets: for Meta's webhook, four at a time, and kept for nobody else."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest
import requests

from otp_service.server import large_bodies
from tests.conftest import LiveServer, MakeApp, Serve
from tests.delivery import account
from tests.delivery.callbacks import signed
from tests.faults.waiting import until

META = account.META | {"API_KEYS": "off"}
MIB = 1024 * 1024


@pytest.fixture
def server(make_app: MakeApp, serve: Serve) -> LiveServer:
    return serve(make_app(**META))


def batch(size: int) -> bytes:
    """A webhook of so many bytes."""
    body = json.dumps({"entry": [], "more": ""}).encode()
    return body[:-2] + b"x" * (size - len(body)) + body[-2:]


def tell(server: LiveServer, body: bytes, path: str = "/webhooks/meta") -> requests.Response:
    signature = signed(body, META["META_APP_SECRET"])
    headers = {"X-Hub-Signature-256": signature, "Content-Type": "application/json"}
    return requests.post(server.url + path, data=body, headers=headers, timeout=20)


def half_sent(server: LiveServer, stack: ExitStack, length: str) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    connection = stack.enter_context(socket.create_connection((host, int(port)), 20))
    head = f"POST /webhooks/meta HTTP/1.1\r\nHost: {host}\r\n{length}\r\n\r\n"
    connection.sendall(head.encode())
    return connection


@pytest.mark.parametrize(("size", "status"), [(3 * MIB, 200), (3 * MIB + 1, 413)])
def test_a_batch_of_metas_may_have_three_mib(server: LiveServer, size: int, status: int) -> None:
    assert tell(server, batch(size)).status_code == status


@pytest.mark.parametrize("path", ["/send-otp", "/webhooks/gupshup", "/webhooks/meta/", "/nowhere"])
def test_no_other_body_is_kept_that_has_more_than_256_kib(server: LiveServer, path: str) -> None:
    answer = tell(server, batch(900_000), path)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "body_too_large"


def test_a_fifth_large_body_is_put_off_and_a_small_one_is_not(server: LiveServer) -> None:
    with ExitStack() as stack:
        waiting = [half_sent(server, stack, "Content-Length: 400000") for _ in range(3)]
        chunked = half_sent(server, stack, "Transfer-Encoding: chunked")
        chunked.sendall(b"493e0\r\n" + b"x" * 290_000)  # of 300,000
        until(lambda: len(large_bodies.in_this_process) == 4)
        answer = tell(server, batch(382_000))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.json()["error"]["code"] == "busy"
        assert tell(server, batch(200_000)).status_code == 200
        waiting[0].close()  # whose place is free
        until(lambda: len(large_bodies.in_this_process) == 3)
        assert tell(server, batch(382_000)).status_code == 200
    until(lambda: len(large_bodies.in_this_process) == 0)


def test_places_are_free_again_when_the_answer_is_out(server: LiveServer) -> None:
    for _ in range(large_bodies.PLACES + 2):
        assert tell(server, batch(382_000)).status_code == 200


def test_who_asks_before_sending_is_told_at_once(server: LiveServer) -> None:
    with ExitStack() as stack:
        expecting = "Content-Length: 400000\r\nExpect: 100-continue"
        for _ in range(4):
            assert b" 100 " in half_sent(server, stack, expecting).recv(100)
        assert b" 503 " in half_sent(server, stack, expecting).recv(100)


@pytest.mark.statement(18)
def test_a_large_body_gets_its_413_before_the_connection_ends(live_server: LiveServer) -> None:
    connection = HTTPConnection(live_server.url.removeprefix("http://"))
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/send-otp", body=b" " * 900_000, headers=headers)
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["error"]["code"] == "body_too_large"
    connection.close()
