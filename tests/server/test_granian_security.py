"""What holds with waitress holds with Granian; where it does not, the start has a warning."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest
import requests
from flask import Flask

from otp_service.server import connection, large_bodies
from tests.conftest import LiveServer, Serve
from tests.faults.waiting import until
from tests.security.raw_http import (
    REQUEST,
    raw_responses,
    sent_messages,
    smuggled,
    statuses,
)
from tests.security.test_framing import AMBIGUOUS, CHUNKS
from tests.security.test_heads import HEADS, test_heads_that_are_plain_are_answered
from tests.security.test_slow_clients import (
    BODY,
    HEADERS,
    POST,
    Begin,
    begin,
    check_that_others_are_served,
    drip,
    heard,
    many_files,
    still_open,
    test_an_answer_may_take_longer_than_its_request,
    test_nine_hundred_half_sent_requests_take_less_than_150_mib,
)
from tests.server.granian import serve, start
from tests.server.test_large_bodies import (
    batch,
    half_sent,
    server,
    tell,
    test_a_batch_of_metas_may_have_three_mib,
    test_a_large_body_gets_its_413_before_the_connection_ends,
    test_no_other_body_is_kept_that_has_more_than_256_kib,
    test_places_are_free_again_when_the_answer_is_out,
    test_who_asks_before_sending_is_told_at_once,
)

__all__ = [
    "begin",
    "drip",
    "many_files",
    "serve",
    "server",
    "start",
    "test_a_batch_of_metas_may_have_three_mib",
    "test_a_large_body_gets_its_413_before_the_connection_ends",
    "test_an_answer_may_take_longer_than_its_request",
    "test_heads_that_are_plain_are_answered",
    "test_nine_hundred_half_sent_requests_take_less_than_150_mib",
    "test_no_other_body_is_kept_that_has_more_than_256_kib",
    "test_places_are_free_again_when_the_answer_is_out",
    "test_who_asks_before_sending_is_told_at_once",
]

# Granian takes a line feed for a line's end, decodes a path, and drops a fragment, a scheme and
# what is said twice alike: nobody tells us. The warning at the start names the first two.
TAKEN = {"the same length twice"}
TAKEN_HEADS = {
    "an encoded slash",
    "another scheme",
    "an address that is none",
    "a fragment",
    "line feeds",
    "one line feed",
}


def check_that_it_is_refused_and_closed(heard: bytes, name: str) -> None:
    """With one answer: what came behind was not read as another request."""
    assert statuses(heard) in ([400], [411], [431]), name
    assert b"connection: close" in heard.lower(), name


@pytest.mark.statement(18)
@pytest.mark.parametrize("size", [16 * 1024 + 1, 2 * 1024 * 1024])
def test_a_large_body_is_413(live_server: LiveServer, size: int) -> None:
    head = REQUEST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % size
    told = raw_responses(live_server, head + b" " * size)
    assert statuses(told) == [413]
    assert json.loads(told.partition(b"\r\n\r\n")[2])["error"]["code"] == "body_too_large"


@pytest.mark.statement(18)
def test_json_a_hundred_thousand_deep_is_a_bad_request(serve: Serve, server: LiveServer) -> None:
    raw = (b"[" * 100_000)[: 16 * 1024]
    headers = {"Content-Type": "application/json"}
    told = requests.post(f"{server.url}/send-otp", data=raw, headers=headers, timeout=20)
    assert (told.status_code, told.json()["error"]["code"]) == (400, "invalid_json")
    assert tell(server, b"[" * 100_000).status_code == 400


@pytest.mark.statement(18)
@pytest.mark.parametrize(
    "headers", [b"X-Any: " + b"a" * 33_000 + b"\r\n", b"X-Any: a\r\n" * 4_000], ids=["one", "many"]
)
def test_headers_over_32_kib_are_refused(live_server: LiveServer, headers: bytes) -> None:
    told = raw_responses(live_server, b"GET /health HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n")
    assert statuses(told) == [431]


@pytest.mark.statement(19)
def test_half_a_request_of_many_keeps_nobody_from_being_served(
    live_server: LiveServer, begin: Begin
) -> None:
    for beginning in (BODY, HEADERS):
        waiting = begin(live_server, beginning)
        check_that_others_are_served(live_server)
        assert len(still_open(waiting)) == len(waiting)


@pytest.mark.statement(19)
def test_who_does_not_send_his_body_in_time_is_told_and_hung_up_on(
    live_server: LiveServer, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = HTTPConnection(live_server.url.removeprefix("http://"), timeout=20)
    honest.request("GET", "/health")
    honest.getresponse().read()
    large = POST + b"Content-Length: 900000\r\n\r\n{"  # let go as it comes
    waiting = begin(live_server, BODY, 60) + begin(live_server, large, 60)
    check_that_others_are_served(live_server)
    assert len(still_open(waiting)) == len(waiting)
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.5)
    for client in waiting:
        assert statuses(client.recv(2000)) == [408]
        assert heard(client) == b""
    own = honest.sock
    honest.request("GET", "/health")  # kept alive: what counts is a request's time, not its own
    assert honest.getresponse().status == 200
    assert honest.sock is own
    honest.close()


@pytest.mark.statement(19)
@pytest.mark.parametrize("beginning", [HEADERS, b""], ids=["headers", "nothing"])
def test_who_does_not_send_his_head_in_time_is_hung_up_on(
    request: pytest.FixtureRequest,
    begin: Begin,
    drip: Callable[[list[socket.socket]], None],
    monkeypatch: pytest.MonkeyPatch,
    beginning: bytes,
) -> None:
    monkeypatch.setattr("otp_service.server.granian_server.HEAD_SECONDS", 1)
    (client,) = begin(request.getfixturevalue("live_server"), beginning, 1)
    drip([client] if beginning else [])
    assert heard(client) in (b"", b"HTTP/1.1 408")
    client.close()


@pytest.mark.statement(19)
def test_where_all_connections_are_taken_newcomers_wait_until_one_is_free(
    app: Flask, serve: Serve, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otp_service.server.granian_server.CONNECTIONS", 20)
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.5)
    live = serve(app)
    begin(live, BODY, count=20)
    assert requests.get(f"{live.url}/health", timeout=20).status_code == 200


@pytest.mark.statement(20)
def test_requests_that_can_be_read_in_two_ways_end_the_connection(live_server: LiveServer) -> None:
    for name in AMBIGUOUS.keys() - TAKEN:
        framing = AMBIGUOUS[name] + b"\r\n\r\n0\r\n\r\n"
        told = raw_responses(live_server, REQUEST + framing + smuggled())
        check_that_it_is_refused_and_closed(told, name)
    assert sent_messages(live_server) == []


@pytest.mark.statement(20, 28)
def test_no_body_in_chunks_is_read_and_none_has_another_request_behind_it(
    live_server: LiveServer,
) -> None:
    plain = b"2\r\n{}\r\n0\r\n\r\n"
    for name, chunks in {"plain": plain, **CHUNKS}.items():
        raw = REQUEST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + smuggled()
        told = raw_responses(live_server, raw)
        assert statuses(told) == [411], name
        check_that_it_is_refused_and_closed(told, name)
    assert sent_messages(live_server) == []


@pytest.mark.statement(28)
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "byte by byte"])
def test_heads_that_can_be_read_in_two_ways_end_the_connection(
    live_server: LiveServer, at_once: bool
) -> None:
    for name in HEADS.keys() - TAKEN_HEADS:
        told = raw_responses(live_server, HEADS[name] + smuggled(), each=None if at_once else 1)
        if at_once or told:  # who still sends may hear of the end alone
            check_that_it_is_refused_and_closed(told, name)
    assert sent_messages(live_server) == []


def test_a_fifth_large_body_is_put_off_and_a_small_one_is_not(server: LiveServer) -> None:
    with ExitStack() as stack:
        waiting = [half_sent(server, stack, "Content-Length: 400000") for _ in range(4)]
        until(lambda: len(large_bodies.in_this_process) == 4)
        answer = tell(server, batch(382_000))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.json()["error"]["code"] == "busy"
        assert tell(server, batch(200_000)).status_code == 200
        waiting[0].close()  # whose place is free
        until(lambda: len(large_bodies.in_this_process) == 3)
        assert tell(server, batch(382_000)).status_code == 200
    until(lambda: len(large_bodies.in_this_process) == 0)


def test_who_says_that_no_more_comes_is_told_that_it_was_not_enough(
    live_server: LiveServer, begin: Begin
) -> None:
    (client,) = begin(live_server, BODY, 1)
    client.shutdown(socket.SHUT_WR)
    assert statuses(client.recv(4000)) == [400]
    assert heard(client) == b""
