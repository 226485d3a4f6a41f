"""What holds for Gupshup's WhatsApp holds for every sender: against servers that misbehave."""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from otp_service.delivery import http_connection
from otp_service.delivery import sender as http_sender
from otp_service.delivery.providers import gupshup_sms, meta
from otp_service.delivery.providers.gupshup_sms import GupshupSms
from otp_service.delivery.providers.gupshup_sms_settings import SmsSettings
from otp_service.delivery.providers.meta import Meta
from otp_service.delivery.providers.meta_settings import MetaSettings
from otp_service.delivery.sender import HttpSender
from otp_service.domain.errors import (
    DeliveryError,
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
)
from otp_service.domain.messages import Message, Sender
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

SECRET = "canary-key-zxywvut98765"
CODE = "730194"
PHONE = "+919876543210"
MESSAGE = Message(PHONE, CODE, expires_in=300)
DEADLINE = 0.8  # seconds, where a test has to wait for it
PROMPT = 4.0  # seconds: far from DEADLINE, and far from what a drip would take


@dataclass(frozen=True)
class Kind:
    """A sender and how its provider answers; ``refuse`` makes a refusal of some words."""

    make: Callable[[str, float], Sender]
    accepted: bytes
    message_id: str
    refuse: Callable[[str], bytes]

    def refusal(self, url: str, deadline: float = 8.0) -> DeliveryError:
        with pytest.raises(DeliveryError) as caught:
            self.make(url, deadline).send(MESSAGE)
        return caught.value

    def refusal_of(self, turn: Turn, deadline: float = 8.0) -> DeliveryError:
        with serve(turn) as server:
            error = self.refusal(server.url, deadline)
            assert len(server.requests) == 1, "sent more than once"
        return error


SMS = Kind(
    lambda url, deadline: HttpSender(
        GupshupSms(SmsSettings("2000", SECRET, api_url=url)), deadline=deadline
    ),
    json.dumps({"response": {"id": "394-1", "status": "success"}}).encode(),
    "394-1",
    lambda words: json.dumps(
        {"response": {"id": "105", "details": words, "status": "error"}}
    ).encode(),
)
META = Kind(
    lambda url, deadline: HttpSender(
        Meta(MetaSettings(SECRET, "1580", "code", api_url=url)), deadline=deadline
    ),
    json.dumps({"messages": [{"id": "wamid.x"}]}).encode(),
    "wamid.x",
    lambda words: json.dumps({"error": {"message": words, "code": 131026}}).encode(),
)


@pytest.fixture(params=[SMS, META], ids=["sms", "meta"])
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


def test_one_request_with_all_of_it_and_one_connection_for_two(kind: Kind) -> None:
    with serve(say(http(kind.accepted, "200 OK"))) as server:
        sender = kind.make(server.url, 8.0)
        assert [sender.send(MESSAGE), sender.send(MESSAGE)] == [kind.message_id] * 2
        assert (len(server.requests), server.connections) == (2, 1)
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        assert head.startswith(b"POST ")
        assert CODE.encode() in body
        assert CODE.encode() not in head
        assert SECRET.encode() not in head.splitlines()[0]


def test_a_refused_connection_took_nothing(kind: Kind) -> None:
    error = kind.refusal(closed_port_url())
    assert type(error) is DeliveryUnavailable
    assert error.failure.code == "provider_down"
    assert (error.reason, error.retry_after) == ("no connection: ConnectionRefusedError", 5)


@pytest.mark.statement(17)
@pytest.mark.parametrize(
    "turn",
    [
        pytest.param(stall, id="stalls"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 60), id="drips headers"),
        pytest.param(drip(http(b" " * 400)[:-400], b" " * 400), id="drips the body"),
    ],
)
def test_the_whole_call_ends_by_its_deadline_and_the_code_stays(kind: Kind, turn: Turn) -> None:
    started = time.monotonic()
    assert type(kind.refusal_of(turn, DEADLINE)) is DeliveryUnconfirmed
    assert time.monotonic() - started < PROMPT


@pytest.mark.parametrize(
    "turn",
    [
        pytest.param(say_and_hang_up(b""), id="hangs up"),
        pytest.param(say_and_hang_up(http()[:-5]), id="hangs up in the body"),
        pytest.param(say_and_hang_up(b"\x00\xff garbage\r\n\r\n" * 9), id="garbage"),
        pytest.param(say(http(b"\xff<html>ok</html>", "200 OK")), id="HTML"),
        pytest.param(say(http(b"", "504 Gateway Timeout")), id="a gateway waited in vain"),
    ],
)
def test_after_the_request_a_bad_answer_means_that_it_may_arrive(kind: Kind, turn: Turn) -> None:
    assert type(kind.refusal_of(turn)) is DeliveryUnconfirmed


def test_an_answer_over_64_kib_is_not_read(kind: Kind) -> None:
    turn = say(http(b" " * 70_000 + kind.accepted, "200 OK"))
    assert type(kind.refusal_of(turn)) is DeliveryUnconfirmed


def test_a_refusal_is_read(kind: Kind) -> None:
    error = kind.refusal_of(say(http(kind.refuse("No."), "400 Bad Request")))
    assert type(error) is DeliveryFailed
    assert error.reason.endswith(": No.")


def test_half_a_character_is_read_as_any_other(kind: Kind) -> None:
    error = kind.refusal_of(say(http(kind.refuse("no such \ud83d user"), "400 Bad Request")))
    assert isinstance(error, DeliveryFailed)
    assert "no such   user" in error.reason


@pytest.mark.statement(17)
@pytest.mark.parametrize("status", ["302 Found", "307 Temporary"])
def test_code_and_secret_follow_no_redirect(kind: Kind, status: str) -> None:
    with serve(say(http(kind.accepted))) as elsewhere:
        error = kind.refusal_of(say(http(b"", status, Location=elsewhere.url)))
        assert type(error) is DeliveryFailed
        assert elsewhere.connections == 0


def test_a_server_error_is_not_tried_again(kind: Kind) -> None:
    error = kind.refusal_of(say(http(b"<html>", "503 Busy", Retry_After="1")))
    assert (type(error), error.retry_after) == (DeliveryUnavailable, 1)


ECHO = f"{CODE} {SECRET} {PHONE[1:]}"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda kind: say(http(kind.refuse(ECHO), "400 No")), id="error"),
        pytest.param(lambda kind: say(http(kind.refuse(ECHO), "200 OK")), id="error in a 200"),
        pytest.param(lambda kind: say(http(ECHO.encode(), f"500 {ECHO}")), id="words"),
        pytest.param(lambda kind: say(http(f"error | {ECHO} | {ECHO}".encode())), id="text"),
        pytest.param(
            lambda kind: say_and_hang_up(b"HTTP/1.1 200 OK\r\n" + ECHO.encode()), id="cut"
        ),
        pytest.param(lambda kind: stall, id="stall"),
    ],
)
def test_code_secret_and_phone_are_in_no_log_and_no_error(
    kind: Kind, answer: Callable[[Kind], Turn], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    error = kind.refusal_of(answer(kind), DEADLINE)
    told = "".join([str(error), repr(error), repr(vars(error))])
    assert "127.0.0.1" in caplog.text, "urllib3's debug log is off"
    for canary in (CODE, SECRET):
        assert canary not in caplog.text + told + locals_of(error)
    assert PHONE[1:] not in caplog.text + told


def locals_of(error: DeliveryError) -> str:
    """What a log handler writes that prints the locals of each of the sender's frames."""
    assert error.__cause__ is None
    assert error.__context__ is None
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [module.__file__ for module in (http_sender, gupshup_sms, meta, http_connection)]
    report.stack[:] = [frame for frame in report.stack if frame.filename in ours]
    assert len(report.stack) > 0
    return "".join(report.format())
