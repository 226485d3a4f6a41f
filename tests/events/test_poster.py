"""One try, with receivers that behave and that don't: real sockets."""

from __future__ import annotations

import time

import pytest
from standardwebhooks import Webhook

from otp_service.events import poster as module
from otp_service.events.body import body_of
from otp_service.events.poster import Outcome, Poster
from otp_service.events.signature import secret_of
from tests.delivery.misbehaving import (
    Turn,
    closed_port_url,
    drip,
    http,
    say,
    say_and_hang_up,
    serve,
    stall,
)
from tests.events.fakes import KEY, endpoint, event

DEADLINE = 0.5


def parts(raw: bytes) -> tuple[dict[str, str], str]:
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = [line.partition(": ") for line in head.decode().split("\r\n")[1:]]
    return {name: value for name, _, value in lines}, body.decode()


def test_the_library_verifies_what_a_receiver_got() -> None:
    with serve(say(http(b"", "204 No Content"))) as receiver:
        to = endpoint(receiver.url)
        tried = Poster().post(to, event())
    assert (tried.outcome, tried.said) == (Outcome.TOLD, "HTTP 204")
    headers, body = parts(receiver.requests[0])
    assert Webhook(secret_of(KEY)).verify(body, headers)["type"] == "verification.started"
    assert body.encode() == body_of(event(), to)
    assert headers["Content-Type"] == "application/json"
    assert headers["webhook-id"] == "evt_1"


def test_each_try_is_signed_anew_with_the_time_that_it_has_come_to() -> None:
    times = iter([1_800_000_000.9, 1_800_000_300.0])
    poster = Poster(clock=lambda: next(times))
    with serve(say(http(b"", "500 Oops")), say(http(b"", "200 OK"))) as receiver:
        for _ in range(2):
            poster.post(endpoint(receiver.url), event())
    (first, body), (second, again) = map(parts, receiver.requests)
    assert (first["webhook-timestamp"], second["webhook-timestamp"]) == ("1800000000", "1800000300")
    assert first["webhook-signature"] != second["webhook-signature"]
    assert (body, first["webhook-id"]) == (again, second["webhook-id"])
    assert receiver.connections == 1


@pytest.mark.parametrize("status", ["200 OK", "201 Made", "202 Later", "204 None", "299 So"])
def test_any_2xx_means_that_it_is_told(status: str) -> None:
    with serve(say(http(b"whatever", status))) as receiver:
        assert Poster().post(endpoint(receiver.url), event()).outcome is Outcome.TOLD


@pytest.mark.parametrize(
    "status", ["301 M", "302 F", "307 T", "308 P", "400 B", "404 N", "429 T", "500 O", "503 B"]
)
def test_anything_else_means_that_it_is_not_and_no_redirect_is_followed(status: str) -> None:
    with serve(say(http(b"", "200 OK"))) as elsewhere:
        with serve(say(http(b"", status, Location=elsewhere.url))) as receiver:
            tried = Poster().post(endpoint(receiver.url), event())
        assert elsewhere.requests == []
    assert (tried.outcome, tried.said) == (Outcome.FAILED, f"HTTP {status[:3]}")


def test_410_means_no_more() -> None:
    with serve(say(http(b"", "410 Gone"))) as receiver:
        assert Poster().post(endpoint(receiver.url), event()).outcome is Outcome.GONE


@pytest.mark.parametrize(
    "turn",
    [
        pytest.param(stall, id="says nothing"),
        pytest.param(drip(b"", http(b"")[:15] + b"0" * 400), id="drips the status line"),
        pytest.param(drip(http(b" " * 400)[:-400], b" " * 400), id="drips the body"),
        pytest.param(say_and_hang_up(b""), id="hangs up"),
        pytest.param(say_and_hang_up(b"\x00\xff garbage\r\n\r\n" * 9), id="garbage"),
    ],
)
def test_a_receiver_that_misbehaves_fails_by_the_deadline(turn: Turn) -> None:
    with serve(turn) as receiver:
        started = time.monotonic()
        tried = Poster(deadline=DEADLINE).post(endpoint(receiver.url), event())
        assert time.monotonic() - started < 10 * DEADLINE
    assert tried.outcome is Outcome.FAILED


def test_an_endless_2xx_is_not_read_to_its_end() -> None:
    with serve(say(http(b" " * 5_000_000, "200 OK"))) as receiver:
        assert Poster().post(endpoint(receiver.url), event()).outcome is Outcome.TOLD


@pytest.mark.parametrize("url", ["http://no-such-host.invalid/", "http://[::/", "ftp://127.0.0.1/"])
def test_an_address_that_leads_nowhere_fails_and_is_not_quoted(url: str) -> None:
    for each in (url, closed_port_url()):
        tried = Poster().post(endpoint(each), event())
        assert tried.outcome is Outcome.FAILED
        assert each not in tried.said


def test_a_try_has_fifteen_seconds() -> None:
    assert module.DEADLINE == 15
