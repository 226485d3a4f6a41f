"""The calls, against the real service."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from otp_client import (
    CallerError,
    DeliveryFailed,
    DeliveryUnconfirmed,
    DestinationNotAllowed,
    Forbidden,
    IdempotencyKeyReused,
    InvalidOtp,
    InvalidPhoneNumber,
    InvalidRequest,
    LimitReached,
    NotFound,
    OtpAlreadySent,
    OtpClient,
    OtpNotFound,
    PersonError,
    SendLimitExceeded,
    Sent,
    TooManyAttempts,
    Unauthorized,
)
from tests.clients.python.service import Service
from tests.storage.helpers import wrong


def test_a_code_is_sent_and_verified(client: OtpClient, service: Service, phone: str) -> None:
    sent = client.send(phone, client_ip="203.0.113.7", locale="en-IN", channel="whatsapp")
    assert (sent.phone_number, sent.purpose, sent.status) == (phone, "login", "pending")
    assert (sent.channel, sent.attempts_remaining, sent.otp) == ("whatsapp", 5, None)
    assert timedelta(0) < sent.expires_at - datetime.now(timezone.utc) < timedelta(seconds=200)
    assert 0 < sent.expires_in <= 180
    verified = client.verify(phone, service.code(phone), verification_id=sent.verification_id)
    assert (verified.phone_number, verified.purpose) == (phone, "login")
    assert verified.verification_id == sent.verification_id
    assert verified.verified_at.tzinfo is not None
    assert verified.proof


def test_a_resend_is_another_code_of_the_same_verification(
    client: OtpClient, service: Service, phone: str
) -> None:
    first = client.send(phone, purpose="pay")
    again = client.resend(phone, purpose="pay")
    assert again.verification_id == first.verification_id
    assert len(client.get(first.verification_id).deliveries) == 2
    assert client.verify(phone, service.code(phone), purpose="pay").purpose == "pay"


def test_who_need_not_wait_is_answered_before_the_message_is_out(
    client: OtpClient, phone: str
) -> None:
    sent = client.send(phone, respond_async=True)
    assert client.get(sent.verification_id).status == "pending"


def test_a_verification_is_looked_at_and_canceled(
    client: OtpClient, service: Service, phone: str
) -> None:
    sent = client.send(phone)
    seen = client.get(sent.verification_id)
    (delivery,) = seen.deliveries
    assert (seen.status, seen.attempts, delivery.provider) == ("pending", 0, "gupshup")
    assert delivery.queued_at <= (delivery.submitted_at or delivery.queued_at)
    canceled = client.cancel(sent.verification_id)
    assert canceled.status == "canceled"
    assert canceled.canceled_at
    assert client.cancel(sent.verification_id) == canceled
    with pytest.raises(OtpNotFound):
        client.verify(phone, service.code(phone))


def test_a_code_of_somebody_else_is_delivered(
    client: OtpClient, service: Service, phone: str
) -> None:
    message = client.deliver(phone, otp="4711", purpose="vpn", client_ip="203.0.113.7")
    assert service.code(phone) == "4711"
    assert (message.phone_number, message.purpose) == (phone, "vpn")
    assert (message.channel, message.status) == ("whatsapp", "submitted")
    later = client.deliver(phone, text="445566 is your code", expires_in=60, respond_async=True)
    assert later.status == "queued"
    seen = client.get_message(message.message_id)
    assert [each.provider for each in seen.deliveries] == ["gupshup"]
    assert seen.expires_at
    assert seen.created_at
    assert seen.expires_at > seen.created_at
    with pytest.raises(NotFound):
        client.get_message(client.send(phone).verification_id)


def test_a_message_that_is_refused_for_good_tells_why(
    client: OtpClient, service: Service, phone: str
) -> None:
    service.simulator.script(phone, fault="http:400")
    with pytest.raises(DeliveryFailed) as sending:
        client.send(phone)
    assert sending.value.failure
    assert sending.value.reason
    assert client.get(sending.value.verification_id or "").status == "failed"
    with pytest.raises(DeliveryFailed) as delivering:
        client.deliver(phone, otp="4711")
    assert client.get_message(delivering.value.message_id or "").status == "failed"


def test_a_wrong_code_tells_how_many_guesses_are_left(
    client: OtpClient, service: Service, phone: str
) -> None:
    client.send(phone)
    code = service.code(phone)
    with pytest.raises(InvalidOtp) as caught:
        client.verify(phone, wrong(code))
    assert (caught.value.attempts_remaining, caught.value.status) == (4, 200)
    assert isinstance(caught.value, PersonError)
    for _ in range(4):
        with pytest.raises(InvalidOtp):
            client.verify(phone, wrong(code))
    with pytest.raises(TooManyAttempts) as locked:
        client.verify(phone, code)
    assert isinstance(locked.value, LimitReached)
    assert locked.value.limit == "verification_attempts"
    assert locked.value.retry_after
    assert locked.value.resets_at
    assert locked.value.resets_at > datetime.now(timezone.utc)


def test_a_code_that_is_on_its_way_lets_the_page_go_on(client: OtpClient, phone: str) -> None:
    first = client.send(phone)
    with pytest.raises(OtpAlreadySent) as caught:
        client.send(phone)
    sent = caught.value.sent
    assert isinstance(sent, Sent)
    assert (sent.verification_id, sent.status) == (first.verification_id, "pending")
    assert 0 < sent.expires_in <= first.expires_in
    assert sent.delivery
    assert sent.delivery.channel == "whatsapp"


def test_a_message_that_may_arrive_lets_the_page_go_on_too(
    client: OtpClient, service: Service, phone: str
) -> None:
    """With all of its fields, by asking again: that sends nothing."""
    service.simulator.script(phone, fault="closed")
    with pytest.raises(DeliveryUnconfirmed) as lost:
        client.send(phone)
    with pytest.raises(OtpAlreadySent) as known:
        client.send(phone)
    assert known.value.sent.verification_id == lost.value.verification_id
    assert known.value.sent.delivery
    assert known.value.sent.delivery.failure == "unconfirmed"
    assert len(service.simulator.messages(phone)) == 1


def test_what_the_caller_must_fix_says_how(client: OtpClient, phone: str) -> None:
    with pytest.raises(InvalidPhoneNumber) as no_phone:
        client.send("call me")
    assert no_phone.value.reason == "not_a_number"
    assert no_phone.value.example == "+919876543210"
    with pytest.raises(InvalidRequest) as no_code:
        client.verify(phone, "12")
    assert list(no_code.value.fields) == ["otp"]
    assert str(no_code.value).endswith(": otp")
    with pytest.raises(DestinationNotAllowed) as abroad:
        client.send("+14155552671")
    assert abroad.value.reason == "country"
    for caught in (no_phone, no_code, abroad):
        assert isinstance(caught.value, CallerError)
        assert caught.value.rule
        assert caught.value.documentation
        assert caught.value.request_id


def test_another_clients_verification_is_not_found(
    client: OtpClient, service: Service, phone: str
) -> None:
    sent = client.send(phone)
    stranger = OtpClient(service.url, service.keys["stranger"])
    for call in (stranger.get, stranger.cancel):
        with pytest.raises(NotFound):
            call(sent.verification_id)


def test_a_key_is_needed_and_has_scopes(service: Service, phone: str) -> None:
    with pytest.raises(Unauthorized):
        OtpClient(service.url).send(phone)
    with pytest.raises(Forbidden):
        OtpClient(service.url, service.keys["reader"]).send(phone)


def test_a_phone_gets_so_many_messages(client: OtpClient, phone: str) -> None:
    client.send(phone)
    for _ in range(4):
        client.resend(phone)
    with pytest.raises(SendLimitExceeded) as caught:
        client.resend(phone)
    assert caught.value.limit == "phone_sends"
    assert caught.value.retry_after


def test_a_key_of_the_callers_own_makes_its_call_once(client: OtpClient, phone: str) -> None:
    first = client.send(phone, idempotency_key="order-17")
    assert client.send(phone, idempotency_key="order-17") == first
    assert len(client.get(first.verification_id).deliveries) == 1
    with pytest.raises(IdempotencyKeyReused):
        client.send(phone, purpose="pay", idempotency_key="order-17")


def test_many_threads_share_one_client(client: OtpClient) -> None:
    phones = [f"+9199999{number:05}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(client.send, phones))
    assert [each.phone_number for each in sent] == phones
