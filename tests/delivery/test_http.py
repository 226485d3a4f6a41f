"""One request and its answer, from servers that misbehave: real sockets."""

from __future__ import annotations

import logging
import socket
import threading
import time
import traceback

import pytest

from otp_service.delivery import http_connection
from otp_service.delivery import sender as http_sender
from otp_service.delivery.http import Answer
from otp_service.delivery.providers import gupshup
from otp_service.domain.errors import (
    DeliveryError,
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
)
from tests.delivery.misbehaving import (
    ACCEPTED,
    Turn,
    drip,
    http,
    say,
    say_and_hang_up,
    serve,
    stall,
)
from tests.delivery.over_http import (
    CODE,
    DEADLINE,
    ID,
    KEY,
    MESSAGE,
    PHONE,
    PROMPT,
    refusal,
    refusal_of,
    sender_for,
)


@pytest.mark.statement(17)
@pytest.mark.usefixtures("prompt")
@pytest.mark.parametrize(
    "turn",
    [
        pytest.param(stall, id="stalls"),
        pytest.param(drip(b"", http()[:15] + b"0" * 400), id="drips the status line"),
        pytest.param(drip(b"HTTP/1.1 202 OK\r\n", b"X-A: b\r\n" * 60), id="drips headers"),
        pytest.param(drip(b"", b"HTTP/1.1 100 Go on\r\n\r\n" * 20), id="drips interim answers"),
        pytest.param(drip(http(b" " * 400)[:-400], b" " * 400), id="drips the body"),
        pytest.param(
            drip(b"HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 60),
            id="drips chunks",
        ),
    ],
)
def test_the_whole_call_ends_by_its_deadline_and_the_code_stays(turn: Turn) -> None:
    assert type(refusal_of(turn, DEADLINE)) is DeliveryUnconfirmed


@pytest.mark.parametrize(
    "turn",
    [
        pytest.param(say_and_hang_up(b""), id="hangs up"),
        pytest.param(say_and_hang_up(http()[:20]), id="hangs up in the headers"),
        pytest.param(say_and_hang_up(http()[:-5]), id="hangs up in the body"),
        pytest.param(say_and_hang_up(b"\x00\xff garbage\r\n\r\n" * 9), id="garbage"),
        pytest.param(
            say_and_hang_up(b"HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            id="garbage chunks",
        ),
        pytest.param(say(http(b"gar", Content_Encoding="gzip")), id="garbage gzip"),
        pytest.param(say(http(b"<html>ok</html>", "200 OK")), id="HTML"),
        pytest.param(say(http(b'{"status":"submitted"}')), id="no id"),
        pytest.param(say(http(b" " * 70_000 + ACCEPTED)), id="too big"),
        pytest.param(say(http(b"", "504 Gateway Timeout")), id="a gateway waited in vain"),
    ],
)
def test_after_the_request_a_bad_answer_means_that_it_may_arrive(turn: Turn) -> None:
    assert type(refusal_of(turn)) is DeliveryUnconfirmed


@pytest.mark.statement(17)
def test_an_endless_answer_is_not_read_to_its_end() -> None:
    with serve(drip(b"HTTP/1.1 202 OK\r\n\r\n" + b" " * 5_000_000, b"" * 9)) as server:
        started = time.monotonic()
        assert type(refusal(sender_for(server.url))) is DeliveryUnconfirmed
        assert time.monotonic() - started < PROMPT


def test_an_answer_called_html_is_read_all_the_same() -> None:
    with serve(say(http(Content_Type="text/html"))) as server:
        assert sender_for(server.url).send(MESSAGE) == ID


def test_an_error_in_a_200_is_an_error() -> None:
    turn = say(http(b'{"status":"error","code":"1002","message":"Not on WhatsApp"}', "200 OK"))
    error = refusal_of(turn)
    assert (type(error), error.reason) == (DeliveryFailed, "1002: Not on WhatsApp")


def test_too_many_requests_tells_when_to_come_back() -> None:
    error = refusal_of(say(http(b"{}", "429 Too Many Requests", Retry_After="17")))
    assert (type(error), error.retry_after) == (DeliveryUnavailable, 17)


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad Gateway", "503 Busy"])
def test_a_server_error_is_not_tried_again_by_the_library(status: str) -> None:
    error = refusal_of(say(http(b"<html>", status, Retry_After="1")))
    assert type(error) is DeliveryUnavailable


@pytest.mark.statement(17)
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_code_and_key_follow_no_redirect(status: str) -> None:
    with serve(say(http())) as elsewhere:
        error = refusal_of(say(http(b"", status, Location=elsewhere.url)))
        assert type(error) is DeliveryFailed
        assert elsewhere.connections == 0


@pytest.mark.statement(17)
@pytest.mark.parametrize("location", ["http://[", "//", "\xff", "http://127.0.0.1:99999/"])
def test_a_redirect_to_nonsense_is_just_a_redirect(location: str) -> None:
    assert type(refusal_of(say(http(b"", "307 X", Location=location)))) is DeliveryFailed


@pytest.mark.statement(17)
def test_a_redirect_s_body_is_not_read_to_its_end() -> None:
    head = b"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:1/\r\n\r\n"
    read = []

    def flood(sock: socket.socket, over: threading.Event) -> None:
        sock.sendall(head)
        while not over.is_set():
            read.append(sock.send(b" " * 65_536))

    assert type(refusal_of(flood)) is DeliveryFailed
    assert sum(read) < 20_000_000  # what the kernels' buffers take, not what 8 s would


ECHO = f"{CODE} {KEY} {PHONE[1:]}".encode()
LEAKY: dict[str, Turn] = {
    "success": say(http()),
    "error": say(http(b'{"status":"error","message":"' + ECHO + b'"}', "400 No")),
    "error without words": say(http(b'{"echo":"' + ECHO + b'"}', "500 " + ECHO.decode())),
    "HTML": say(http(ECHO)),
    "no id": say(http(b'{"echo":"' + ECHO + b'"}')),
    "hang up": say_and_hang_up(b""),
    "hang up in the body": say_and_hang_up(http(ECHO)[:-1]),
    "stall": stall,
    "status line": say_and_hang_up(ECHO + b"\r\n\r\n"),
    "broken headers": say_and_hang_up(b"HTTP/1.1 202 OK\r\n" + ECHO + b"\r\nX: y\r\n\r\n"),
    "chunks": say_and_hang_up(b"HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + ECHO),
    "redirect": say(http(b"", "307 X", Location="http://127.0.0.1:1/" + ECHO.decode())),
}


@pytest.mark.parametrize("name", LEAKY)
def test_code_key_and_phone_are_in_no_log_and_no_error(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told, locals_too = "", ""
    with serve(LEAKY[name]) as server:
        try:
            sender_for(server.url, DEADLINE).send(MESSAGE)
        except DeliveryError as error:
            told = "".join([str(error), repr(error), repr(vars(error))])
            locals_too = traceback_of(error)
    assert "127.0.0.1" in caplog.text, "urllib3's debug log is off"
    for canary in (CODE, KEY):
        assert canary not in caplog.text + told + locals_too
    assert PHONE[1:] not in caplog.text + told


def traceback_of(error: DeliveryError) -> str:
    """What a log handler writes that prints the locals of each of the sender's frames."""
    assert error.__cause__ is None
    assert error.__context__ is None
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    report.stack[:] = [
        frame
        for frame in report.stack
        if frame.filename in (http_sender.__file__, gupshup.__file__, http_connection.__file__)
    ]
    assert len(report.stack) > 0
    return "".join(report.format())


def test_an_answer_s_repr_does_not_show_its_body() -> None:
    assert CODE not in repr(Answer(200, CODE.encode()))
