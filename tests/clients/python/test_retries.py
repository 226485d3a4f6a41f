"""Another try: after which answers, with which key, after which pauses, and until when."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
import time_machine

from otp_client import (
    ApiError,
    DeliveryUnavailable,
    NoAnswer,
    OtpClient,
    ServiceError,
    StorageUnavailable,
)
from otp_client.retries import FIRST_PAUSE, LONGEST_PAUSE
from tests.clients.python.service import (
    SENT,
    Clock,
    Service,
    body,
    hang_up,
    keys,
    passed_on,
    refuses,
    says,
    url_of,
)
from tests.delivery.misbehaving import (
    Turn,
    closed_port_url,
    http,
    say,
    say_and_hang_up,
    serve,
    stall,
)

PHONE = "+919876543210"
BUSY = refuses("503 Service Unavailable", "storage_unavailable", Retry_After="2")
RUNNING = refuses("409 Conflict", "idempotency_in_progress", Retry_After="1")
LOST: dict[str, Turn] = {
    "gone": hang_up,
    "cut short": say_and_hang_up(says()[:90]),
    "busy": say(BUSY),
    "busy, says a proxy": say(http(b"<h1>503</h1>", "503 Service Unavailable")),
}
MESSAGE = SENT | {"message_id": "s1"}
CALLS: dict[str, tuple[Callable[[OtpClient], object], bytes]] = {
    "send": (lambda client: client.send(PHONE), says()),
    "resend": (lambda client: client.resend(PHONE), says()),
    "deliver": (lambda client: client.deliver(PHONE, otp="1234"), says(data=MESSAGE)),
    "verify": (
        lambda client: client.verify(PHONE, "123456"),
        says(data=SENT | {"verified_at": "2026-11-22T17:30:49.125Z"}),
    ),
}


@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
@pytest.mark.parametrize("call", CALLS)
def test_a_call_is_tried_again_with_the_same_key_and_body(
    call: str, lost: Turn, clock: Clock
) -> None:
    do, answer = CALLS[call]
    with serve(lost, say(answer)) as server:
        do(clock.client(url_of(server)))
    first, second = keys(server)
    assert first == second is not None
    assert body(server.requests[0]) == body(server.requests[1])


def test_each_call_has_a_key_of_its_own(clock: Clock) -> None:
    with serve(say(says())) as server:
        client = clock.client(url_of(server))
        client.send(PHONE)
        client.send(PHONE)
    first, second = keys(server)
    assert first != second


@pytest.mark.parametrize("call", ["get", "cancel", "get_message"])
def test_what_can_be_repeated_anyway_is_tried_again_too(call: str, clock: Clock) -> None:
    with serve(hang_up, say(refuses("404 Not Found", "not_found"))) as server:
        with pytest.raises(ApiError, match="not_found"):
            getattr(clock.client(url_of(server)), call)("s1")
        assert len(server.requests) == 2


def test_a_code_whose_answer_was_lost_is_sent_and_checked_once(
    service: Service, phone: str, clock: Clock
) -> None:
    def losing_every_other(sock: socket.socket, over: threading.Event) -> None:
        answer = passed_on(service.url, server.requests[-1])
        if len(server.requests) % 2:
            hang_up(sock, over)
        else:
            sock.sendall(answer)

    with serve(losing_every_other) as server:
        client = clock.client(url_of(server), service.keys["shop"])
        sent = client.send(phone)
        code = service.code(phone)
        verified = client.verify(phone, code, verification_id=sent.verification_id)
        assert len(server.requests) == 4
    assert verified.verification_id == sent.verification_id
    assert len(service.simulator.messages(phone)) == 1


def test_a_message_that_the_provider_did_not_take_is_sent_in_the_end(
    service: Service, phone: str, clock: Clock
) -> None:
    """Its key is told of the failure for ever, so that another one is needed."""
    service.simulator.script(phone, next=1, fault="http:503")
    client = clock.client(service.url, service.keys["shop"])
    sent = client.send(phone)
    assert [each.arrived for each in service.simulator.messages(phone)] == [False, True]
    assert client.verify(phone, service.code(phone)).verification_id == sent.verification_id
    assert sum(clock.slept) >= 5  # what the service asked for, and once only
    assert sum(clock.slept) < 10


def test_the_callers_own_key_is_never_replaced(clock: Clock) -> None:
    failed = refuses("503 Service Unavailable", "delivery_unavailable", Idempotent_Replayed="true")
    with serve(say(BUSY), say(failed), say(says())) as server:
        with pytest.raises(DeliveryUnavailable):
            clock.client(url_of(server)).send(PHONE, idempotency_key="order-17")
        assert keys(server) == ["order-17", "order-17"]


def test_a_try_that_still_runs_after_its_answer_was_lost_is_waited_for(clock: Clock) -> None:
    with serve(hang_up, say(RUNNING), say(RUNNING), say(says())) as server:
        assert clock.client(url_of(server)).send(PHONE)
        assert len(set(keys(server))) == 1
    assert len(clock.slept) == 3
    assert all(seconds >= 1 for seconds in clock.slept[1:])


@pytest.mark.parametrize(
    "answer",
    [
        refuses("504 Gateway Timeout", "delivery_unconfirmed"),
        refuses("502 Bad Gateway", "delivery_failed"),
        refuses("500 Internal Server Error", "internal_error"),
        refuses("429 Too Many Requests", "rate_limit_exceeded", Retry_After="1"),
        RUNNING,
        refuses("400 Bad Request", "invalid_request"),
        refuses("200 OK", "invalid_otp"),
        http(b"<h1>504</h1>", "504 Gateway Timeout"),
    ],
    ids=lambda answer: answer[9:12].decode(),
)
def test_nothing_else_is_tried_again(answer: bytes, clock: Clock) -> None:
    with serve(say(answer), say(says())) as server:
        with pytest.raises(ApiError):
            clock.client(url_of(server)).send(PHONE)
        assert len(server.requests) == 1
    assert clock.slept == []


def test_a_pause_is_as_long_as_the_service_asks_and_a_little_more(clock: Clock) -> None:
    with serve(say(BUSY), say(says())) as server:
        clock.client(url_of(server)).send(PHONE)
    (pause,) = clock.slept
    assert 2 <= pause <= 2 + FIRST_PAUSE


def test_a_time_to_come_again_may_be_a_date(clock: Clock) -> None:
    now = datetime(2026, 11, 22, 17, 30, tzinfo=timezone.utc)
    when = format_datetime(now + timedelta(seconds=7), usegmt=True)
    busy = refuses("503 Service Unavailable", "storage_unavailable", Retry_After=when)
    with time_machine.travel(now, tick=False), serve(say(busy), say(says())) as server:
        clock.client(url_of(server)).send(PHONE)
    assert 7 <= clock.slept[0] <= 7 + FIRST_PAUSE


def test_pauses_grow_differ_and_have_an_end(clock: Clock) -> None:
    with pytest.raises(NoAnswer):
        clock.client(closed_port_url(), deadline=60).send(PHONE)
    longest = [min(LONGEST_PAUSE, FIRST_PAUSE * 2**number) for number in range(len(clock.slept))]
    assert len(clock.slept) > 12
    assert all(0 <= pause <= most for pause, most in zip(clock.slept, longest, strict=True))
    assert len(set(clock.slept)) > 10


@pytest.mark.parametrize("deadline", [3, 9, 30])
def test_tries_end_before_the_deadline_with_the_last_answer(deadline: int, clock: Clock) -> None:
    with serve(say(BUSY)) as server:
        with pytest.raises(StorageUnavailable) as caught:
            clock.client(url_of(server), deadline=deadline).send(PHONE)
        assert len(server.requests) == len(clock.slept) + 1
    assert isinstance(caught.value, ServiceError)
    assert caught.value.retry_after == 2
    assert deadline / 3 < sum(clock.slept) < deadline


def test_who_asks_for_more_time_than_there_is_is_not_waited_for(clock: Clock) -> None:
    busy = refuses("503 Service Unavailable", "storage_unavailable", Retry_After="3600")
    with serve(say(busy)) as server:
        with pytest.raises(StorageUnavailable):
            clock.client(url_of(server)).send(PHONE)
        assert len(server.requests) == 1
    assert clock.slept == []


def test_a_service_that_stalls_is_left_at_the_deadline() -> None:
    with serve(stall) as server:
        client = OtpClient(url_of(server), timeout=0.1, deadline=0.5)
        with pytest.raises(NoAnswer) as caught:
            client.send(PHONE)
        assert len(server.requests) > 1
    assert caught.value.idempotency_key == keys(server)[0]


def test_a_certificate_that_is_wrong_is_not_tried_again(clock: Clock) -> None:
    with serve(say(says())) as server:
        with pytest.raises(NoAnswer, match="SSLError"):
            clock.client(url_of(server).replace("http:", "https:")).send(PHONE)
        assert server.connections == 1
