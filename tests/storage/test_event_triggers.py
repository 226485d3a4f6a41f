"""Whatever changes a status writes its event, in the same transaction, for each endpoint."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from otp_service.domain import failures
from otp_service.domain.drafts import SendOptions
from otp_service.domain.errors import DeliveryFailed, DeliveryUnconfirmed
from otp_service.domain.events import EventType
from otp_service.domain.messages import Receipt
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Channel, DeliveryStatus, Person
from otp_service.storage import retention, void
from otp_service.storage.db.database import Database
from otp_service.storage.models.verifications import VerificationRow
from otp_service.storage.outbox import Messages
from tests.fakes import FakeSender
from tests.storage.events import add_endpoint, types, written
from tests.storage.helpers import fail, pass_time

LATER = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=1)
SENT, DELIVERED, READ, FAILED = (
    DeliveryStatus.SENT,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.READ,
    DeliveryStatus.FAILED,
)


def receive(engine: sa.Engine, *statuses: DeliveryStatus, **more: object) -> None:
    """Receipts of the first message, each applied before the next."""
    messages = Messages(Database(engine))
    for status in statuses:
        failure = failures.UNDELIVERABLE if status is FAILED else None
        receipt = Receipt("fake", "fake-1", status, LATER, failure, "131026" if failure else "")
        messages.keep([replace(receipt, **more)])  # type: ignore[arg-type]
        messages.settle(10, lambda _: 0)


def test_without_an_endpoint_nothing_is_written(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    add_endpoint(engine, gone=True)
    service.send(person)
    service.verify(person, sender.last_code)
    assert written(engine) == []


def test_a_send_and_a_right_code_tell_of_each_step(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    add_endpoint(engine)
    sent = service.send(person).verification
    receive(engine, SENT, DELIVERED, DELIVERED, READ)
    verified = service.verify(person, sender.last_code)
    events = written(engine)
    assert [(each.type, each.status, each.delivery_id is None) for each in events] == [
        ("verification.started", "pending", True),
        ("message.submitted", "submitted", False),
        ("message.delivered", "delivered", False),
        ("message.read", "read", False),
        ("verification.verified", "verified", True),
    ]
    now = service.get(person.client, sent.id)
    (delivery,) = now.deliveries
    times = [now.created_at, delivery.submitted_at, delivery.delivered_at, delivery.read_at]
    assert [each.at for each in events] == [*times, verified.verified_at]
    assert {each.verification_id for each in events} == {sent.id}
    assert {each.delivery_id for each in events} == {None, delivery.id}
    assert len({each.id for each in events}) == 5
    assert {(each.channel, each.failure, each.tries) for each in events} == {("whatsapp", None, 0)}


def test_an_endpoint_gets_what_it_asked_for(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    ours = add_endpoint(engine, client=person.client)
    theirs = add_endpoint(engine, client="another")
    some = add_endpoint(engine, EventType.VERIFIED, EventType.MESSAGE_SUBMITTED)
    ends = add_endpoint(engine, EventType.VERIFIED)
    service.send(person)
    service.verify(person, sender.last_code)
    assert len(types(engine, ours)) == 3
    assert types(engine, theirs) == []
    assert types(engine, some) == ["message.submitted", "verification.verified"]
    assert types(engine, ends) == ["verification.verified"]


def test_wrong_guesses_tell_nothing_until_the_last_one_ends_it(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    add_endpoint(engine, EventType.FAILED, EventType.VERIFIED)
    service.send(person)
    fail(service, person, sender.last_code, 4)
    assert written(engine) == []
    fail(service, person, sender.last_code, 1)
    (event,) = written(engine)
    assert (event.type, event.failure) == ("verification.failed", None)


def test_a_refused_message_ends_its_verification_for_its_reason(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    add_endpoint(engine)
    sender.failure = DeliveryFailed("no such number", failure=failures.NOT_ON_WHATSAPP)
    with pytest.raises(DeliveryFailed):
        service.send(person)
    assert [(each.type, each.failure, each.reason) for each in written(engine)] == [
        ("verification.started", None, None),
        ("message.failed", "not_on_whatsapp", "no such number"),
        ("verification.failed", "not_on_whatsapp", "no such number"),
    ]


def test_a_resend_that_was_refused_ends_nothing(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    service.send(person)
    add_endpoint(engine)
    sender.failure = DeliveryFailed("no")
    with pytest.raises(DeliveryFailed):
        service.resend(person)
    assert types(engine) == ["message.failed"]


def test_of_an_unknown_outcome_nothing_is_told_until_a_receipt_does(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    add_endpoint(engine)
    sender.failure = DeliveryUnconfirmed("timeout")
    with pytest.raises(DeliveryUnconfirmed):
        service.send(person)
    assert types(engine) == ["verification.started"]
    (of,) = {each.verification_id for each in written(engine)}
    (delivery,) = service.get(person.client, of).deliveries
    receive(engine, SENT, delivery_id=delivery.id)
    assert types(engine)[1:] == ["message.submitted"]
    assert written(engine)[1].status == "sent"
    receive(engine, READ, delivery_id=delivery.id)
    assert types(engine)[2:] == ["message.read"]


def test_a_failure_that_was_none_after_all_is_told_twice(
    service: OtpService, person: Person, engine: sa.Engine
) -> None:
    service.send(person)
    add_endpoint(engine)
    receive(engine, FAILED, DELIVERED, FAILED)
    assert [(each.type, each.failure, each.reason) for each in written(engine)] == [
        ("message.failed", "undeliverable", "131026"),
        ("message.delivered", None, None),
    ]


def test_a_message_in_anothers_place_is_told_of_by_its_own_id(
    service: OtpService, person: Person, engine: sa.Engine
) -> None:
    add_endpoint(engine, EventType.MESSAGE_FAILED, EventType.MESSAGE_SUBMITTED)
    sent = service.send(person, SendOptions(background=True)).verification
    messages = Messages(Database(engine))
    (message,) = messages.take(10)
    sms = messages.follow(message, Channel.SMS, "sms", DeliveryFailed("no"))
    assert sms
    messages.submitted(sms, "m2", grace=0, due_in=None)
    first, second = service.get(person.client, sent.id).deliveries
    assert [(each.type, each.delivery_id, each.channel) for each in written(engine)] == [
        ("message.failed", first.id, "whatsapp"),
        ("message.submitted", second.id, "sms"),
    ]


def test_a_cancel_is_told_once(service: OtpService, person: Person, engine: sa.Engine) -> None:
    sent = service.send(person).verification
    add_endpoint(engine)
    for _ in range(2):
        canceled = service.cancel(person.client, sent.id)
    (event,) = written(engine)
    assert (event.type, event.at) == ("verification.canceled", canceled.canceled_at)


def test_what_a_restore_voids_is_canceled(
    service: OtpService, person: Person, engine: sa.Engine
) -> None:
    service.send(person)
    add_endpoint(engine)
    void._void_what_is_there(engine, datetime.now(timezone.utc) + timedelta(minutes=1))
    assert types(engine) == ["verification.canceled"]


def test_an_expiry_is_told_as_of_when_it_was(
    service: OtpService, person: Person, engine: sa.Engine
) -> None:
    sent = service.send(person).verification
    add_endpoint(engine)
    pass_time(engine, 200)
    retention.cleanup(engine, days=30)
    (event,) = written(engine)
    assert event.type == "verification.expired"
    assert event.at == sent.expires_at - timedelta(seconds=200)


def test_what_is_rolled_back_has_told_nothing(
    service: OtpService, person: Person, engine: sa.Engine
) -> None:
    service.send(person)
    add_endpoint(engine)
    with engine.execution_options(isolation_level="SERIALIZABLE").connect() as connection:
        connection.execute(sa.update(VerificationRow).values(status="canceled"))
        connection.rollback()
    assert written(engine) == []


def test_of_a_code_that_a_caller_made_only_its_message_is_told(
    service: OtpService, person: Person, engine: sa.Engine
) -> None:
    sent = service.send(person).verification
    add_endpoint(engine)
    with engine.begin() as connection:
        connection.execute(sa.update(VerificationRow).values(status="relayed"))
        row = connection.execute(sa.select(*VerificationRow.__table__.c)).one()._asdict()
        connection.execute(sa.insert(VerificationRow).values(row | {"id": sent.id[:-1] + "x"}))
    receive(engine, DELIVERED)
    assert types(engine) == ["message.delivered"]


def test_events_go_with_their_verification(
    service: OtpService, person: Person, engine: sa.Engine
) -> None:
    add_endpoint(engine)
    service.send(person)
    assert len(written(engine)) == 2
    retention.erase(engine, person.phone)
    assert written(engine) == []
