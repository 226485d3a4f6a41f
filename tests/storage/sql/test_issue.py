"""Sends and resends, their limits, and what a failed message leaves behind."""

from __future__ import annotations

import math

import pytest
import sqlalchemy as sa

from otp_service.domain.drafts import SendOptions
from otp_service.domain.errors import (
    CodeAlreadySent,
    CodeIncorrect,
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
    SendLimitExceeded,
)
from otp_service.domain.service import OtpService
from otp_service.domain.verification import DeliveryStatus, Person
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.verifications import AttemptRow, CodeRow, VerificationRow
from tests.fakes import FakeSender
from tests.storage.conftest import MakeService
from tests.storage.helpers import fail, pass_time


def test_a_second_send_finds_the_live_code(service: OtpService, person: Person) -> None:
    first = service.send(person)
    with pytest.raises(CodeAlreadySent) as caught:
        service.send(person)
    assert caught.value.verification.id == first.verification.id
    assert caught.value.quota.remaining == 4


@pytest.mark.statement(5)
def test_a_resend_replaces_the_code_and_gives_no_attempts_back(
    service: OtpService, person: Person, sender: FakeSender
) -> None:
    first = service.send(person)
    old = sender.last_code
    fail(service, person, old, 2)
    again = service.resend(person)
    assert again.verification.id == first.verification.id
    assert again.verification.attempts_remaining == 3
    assert sender.last_code != old
    with pytest.raises(CodeIncorrect):
        service.verify(person, old)
    assert service.verify(person, sender.last_code)


def test_a_resend_restarts_the_expiry(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    service.send(person)
    pass_time(engine, 170)
    assert service.resend(person).verification.expires_in == 180
    pass_time(engine, 170)
    assert service.verify(person, sender.last_code)


def test_a_resend_that_was_overtaken_stores_nothing(service: OtpService, person: Person) -> None:
    first = service.send(person).verification
    overtaken = service._draft(person, SendOptions())
    service.resend(person)
    service.resend(person)
    assert not service._store.reissue(overtaken, first.id, 2).outgoing
    live = service._store.live(person)
    assert live
    assert live.generation == 3


def test_a_resend_without_a_live_verification_acts_as_a_send(
    service: OtpService, person: Person, sender: FakeSender
) -> None:
    service.resend(person)
    assert service.verify(person, sender.last_code)


def test_grace_keeps_earlier_codes_until_their_own_expiry(
    make_service: MakeService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    service = make_service(grace=1)
    service.send(person)
    service.resend(person)
    service.resend(person)
    first, second, _ = (message.code for message in sender.messages)
    with pytest.raises(CodeIncorrect):
        service.verify(person, first)
    assert service.verify(person, second)

    service.send(person)
    early = sender.last_code
    pass_time(engine, 100)
    service.resend(person)
    pass_time(engine, 100)
    with pytest.raises(CodeIncorrect):
        service.verify(person, early)


def test_the_sixth_message_in_ten_minutes_is_refused_until_the_first_is_old(
    service: OtpService, person: Person, engine: sa.Engine
) -> None:
    for left in (4, 3, 2, 1, 0):
        assert service.resend(person).quota.remaining == left
        pass_time(engine, 10)
    with pytest.raises(SendLimitExceeded) as caught:
        service.resend(person)
    assert caught.value.retry_after == pytest.approx(550, abs=3)
    pass_time(engine, 553)
    assert service.resend(person)


def test_no_more_than_twenty_messages_a_day(
    service: OtpService, person: Person, engine: sa.Engine
) -> None:
    for _ in range(20):
        service.resend(person)
        pass_time(engine, 601)
    with pytest.raises(SendLimitExceeded) as caught:
        service.resend(person)
    assert caught.value.retry_after == pytest.approx(86_400 - 20 * 601, abs=10)


def test_a_test_number_has_no_send_limit(service: OtpService) -> None:
    person = Person("public", "+1234567890", "login")
    for _ in range(25):
        assert service.resend(person).quota.remaining == 5


@pytest.mark.parametrize("failure", [DeliveryFailed("no"), DeliveryUnavailable("later")])
def test_a_refused_message_leaves_the_person_able_to_ask_again_and_costs_nothing(
    failure: DeliveryFailed, service: OtpService, person: Person, sender: FakeSender
) -> None:
    sender.failure = failure
    for _ in range(6):
        with pytest.raises(type(failure)):
            service.send(person)
    sender.failure = None
    assert service.send(person).quota.remaining == 4
    assert service.verify(person, sender.last_code)


def test_a_refused_resend_leaves_the_code_before_it_good(
    service: OtpService, person: Person, sender: FakeSender
) -> None:
    sent = service.send(person)
    sender.failure = DeliveryFailed("no")
    with pytest.raises(DeliveryFailed):
        service.resend(person)
    found = service.get("public", sent.verification.id)
    assert found.expires_at == sent.verification.expires_at
    assert service.verify(person, sender.last_code)


def test_an_unconfirmed_message_keeps_its_code_good(
    service: OtpService, person: Person, sender: FakeSender
) -> None:
    sender.failure = DeliveryUnconfirmed("timeout")
    with pytest.raises(DeliveryUnconfirmed):
        service.send(person)
    sender.failure = None
    with pytest.raises(CodeAlreadySent) as caught:
        service.send(person)
    code = service._codes.make(person.phone, caught.value.verification.id, 1, _secret_id(service))
    assert service.verify(person, code)


def _secret_id(service: OtpService) -> str:
    return service._codes.secret_id


def test_deliveries_tell_what_became_of_each_message(
    service: OtpService, person: Person, sender: FakeSender
) -> None:
    sent = service.send(person)
    sender.failure = DeliveryFailed("Invalid Destination")
    with pytest.raises(DeliveryFailed):
        service.resend(person)
    first, second = service.get("public", sent.verification.id).deliveries
    assert first.status is DeliveryStatus.SUBMITTED
    assert first.submitted_at is not None
    assert second.status is DeliveryStatus.FAILED
    assert (second.error_code, second.reason) == ("refused", "Invalid Destination")


def test_the_digits_of_a_code_are_stored_nowhere(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    service.send(person)
    with engine.connect() as connection:
        for row in (VerificationRow, CodeRow, DeliveryRow, AttemptRow):
            stored = connection.execute(sa.select(*row.__table__.c)).all()
            assert sender.last_code not in [str(value) for values in stored for value in values]


def test_expires_in_follows_the_stores_clock(service: OtpService, person: Person) -> None:
    found = service.send(person).verification
    assert found.expires_in == math.ceil((found.expires_at - found.as_of).total_seconds()) == 180
