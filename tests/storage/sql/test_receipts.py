"""Receipts in any order and any number end in one state."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from otp_service.domain import failures
from otp_service.domain.follow_up import look_in
from otp_service.domain.messages import Receipt
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Delivery, DeliveryStatus, Person, Price
from otp_service.storage.models.deliveries import ReceiptRow
from otp_service.storage.outbox import Messages
from tests.statements import recorded
from tests.storage.conftest import MakeService
from tests.storage.helpers import pass_time
from tests.storage.sql.receipts import DELIVERED, NOW, READ, SENT, WALLET, S, settle

LATE = Receipt("fake", "fake-1", S.FAILED, NOW, failures.UNDELIVERABLE, "131026: undeliverable")


def waiting(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return len(connection.execute(sa.select(ReceiptRow.id)).all())


def told(service: OtpService, messages: Messages, person: Person, *receipts: Receipt) -> Delivery:
    """The delivery after these receipts, in this order, some of them settled in between."""
    verification = service.send(person).verification
    for receipt in receipts:
        messages.keep([receipt])
        if random.random() < 0.5:
            settle(messages)
    settle(messages)
    (delivery,) = service.get(person.client, verification.id).deliveries
    return delivery


@pytest.mark.parametrize("seed", range(8))
def test_every_order_of_all_receipts_ends_in_read_with_the_same_times(
    service: OtpService, messages: Messages, person: Person, seed: int
) -> None:
    shuffled = [SENT, DELIVERED, READ, LATE] * 2
    random.Random(seed).shuffle(shuffled)
    delivery = told(service, messages, person, *shuffled)
    assert delivery.status is S.READ
    times = (delivery.sent_at, delivery.delivered_at, delivery.read_at, delivery.failed_at)
    assert times == (SENT.at, DELIVERED.at, READ.at, LATE.at)


@pytest.mark.parametrize(
    ("receipts", "status"),
    [
        ((READ,), S.READ),
        ((DELIVERED, SENT), S.DELIVERED),
        ((WALLET, SENT), S.FAILED),
        ((SENT, WALLET), S.FAILED),
        ((WALLET, DELIVERED), S.DELIVERED),
        ((DELIVERED, WALLET), S.DELIVERED),
    ],
)
def test_the_state_never_goes_backwards(
    service: OtpService,
    messages: Messages,
    person: Person,
    receipts: tuple[Receipt, ...],
    status: DeliveryStatus,
) -> None:
    assert told(service, messages, person, *receipts).status is status


def test_read_implies_delivered(service: OtpService, messages: Messages, person: Person) -> None:
    delivery = told(service, messages, person, READ)
    assert delivery.delivered_at == delivery.read_at == READ.at


def test_a_time_before_the_message_was_submitted_is_not_believed(
    service: OtpService, messages: Messages, person: Person
) -> None:
    early = Receipt("fake", "fake-1", S.DELIVERED, NOW - timedelta(hours=1))
    delivery = told(service, messages, person, early)
    assert delivery.delivered_at == delivery.submitted_at


def test_a_receipt_without_a_time_gets_that_of_its_arrival(
    service: OtpService, messages: Messages, person: Person
) -> None:
    delivery = told(service, messages, person, Receipt("fake", "fake-1", S.DELIVERED))
    assert delivery.submitted_at
    assert delivery.delivered_at
    assert timedelta() <= delivery.delivered_at - delivery.submitted_at < timedelta(seconds=10)


def test_a_receipt_that_comes_before_its_messages_row_is_applied_later(
    service: OtpService, messages: Messages, person: Person, engine: sa.Engine
) -> None:
    messages.keep([DELIVERED])
    assert settle(messages) == 1
    assert settle(messages) == 0  # not again at once
    verification = service.send(person).verification
    with engine.begin() as connection:
        connection.execute(sa.update(ReceiptRow).values(due_at=ReceiptRow.created_at))
    assert settle(messages) == 1
    (delivery,) = service.get(person.client, verification.id).deliveries
    assert delivery.status is S.DELIVERED
    assert waiting(engine) == 0


def test_what_belongs_to_no_message_is_kept_for_an_hour_and_then_dropped(
    messages: Messages, engine: sa.Engine
) -> None:
    messages.keep([Receipt("fake", "nobody's", S.DELIVERED)])
    pass_time(engine, 3500)
    settle(messages)
    assert waiting(engine) == 1
    pass_time(engine, 3500)
    settle(messages)
    assert waiting(engine) == 0


def test_another_providers_id_is_another_message(
    service: OtpService, messages: Messages, person: Person
) -> None:
    other = Receipt("meta", "fake-1", S.DELIVERED, NOW)
    assert told(service, messages, person, other).status is S.SUBMITTED


def test_workers_that_settle_at_once_apply_each_receipt(
    service: OtpService, messages: Messages, person: Person, engine: sa.Engine
) -> None:
    verification = service.send(person).verification
    messages.keep([SENT, DELIVERED, READ] * 10)
    with ThreadPoolExecutor(8) as pool:
        settled = list(pool.map(lambda _: messages.settle(5, look_in), range(8)))
    assert sum(settled) == 30
    assert waiting(engine) == 0
    (delivery,) = service.get(person.client, verification.id).deliveries
    assert delivery.status is S.READ


def test_of_two_reasons_the_earlier_one_is_told(
    service: OtpService, messages: Messages, person: Person
) -> None:
    later = replace(WALLET, at=NOW + timedelta(seconds=9))
    receipts = [LATE, later]
    random.shuffle(receipts)
    assert told(service, messages, person, *receipts).error_code == "undeliverable"


def test_many_receipts_are_kept_and_applied_with_as_many_statements_as_one(
    service: OtpService, messages: Messages, person: Person, engine: sa.Engine
) -> None:
    verification = service.send(person).verification
    foreign = [Receipt("fake", f"other-{number}", S.DELIVERED, NOW) for number in range(300)]
    sent = recorded(engine)
    counts = []
    for receipts in ([DELIVERED, foreign[0]], [SENT, READ, *foreign]):
        messages.keep(receipts)
        assert messages.settle(500, look_in) == len(receipts)
        counts.append(len(sent))
        sent.clear()
    assert counts[0] == counts[1]
    (delivery,) = service.get(person.client, verification.id).deliveries
    assert (delivery.status, delivery.sent_at) == (S.READ, SENT.at)
    assert waiting(engine) == 301


def test_receipts_of_many_messages_reach_each_its_own(
    make_service: MakeService, messages: Messages, person: Person
) -> None:
    service = make_service()
    people = [replace(person, phone=f"+9198765432{number:02}") for number in range(20)]
    ids = [service.send(each).verification.id for each in people]
    told = [replace(READ, message_id=f"fake-{number}") for number in range(1, 20, 2)]
    told += [replace(WALLET, message_id=f"fake-{number}") for number in range(2, 21, 2)]
    random.shuffle(told)
    messages.keep(told)
    settle(messages)
    found = [service.get(person.client, each).deliveries[0] for each in ids]
    assert [each.status for each in found] == [S.READ, S.FAILED] * 10
    assert {each.reason for each in found} == {None, "1003"}


# --- prices ---
PRICE = Price("authentication", True, "PMP", "regular")


@pytest.mark.parametrize("seed", range(3))
def test_a_price_is_kept_with_its_message_in_any_order_and_counted_once(
    service: OtpService, messages: Messages, person: Person, seed: int
) -> None:
    verification = service.send(person).verification
    policy = replace(SENT, price=Price("authentication", None, "PMP"))
    told = [policy, replace(DELIVERED, price=PRICE), replace(READ, price=PRICE), READ]
    random.Random(seed).shuffle(told)
    counted: list[tuple[str, Price]] = []
    for receipt in told:
        messages.keep([receipt])
        messages.settle(100, look_in, lambda *price: counted.append(price))
    (delivery,) = service.get(person.client, verification.id).deliveries
    assert delivery.price == PRICE
    assert [provider for provider, _ in counted] == ["fake"]


def test_a_price_that_is_told_twice_and_not_alike_ends_the_same(
    service: OtpService, messages: Messages, person: Person
) -> None:
    told = [
        replace(SENT, price=Price("authentication", False)),
        replace(SENT, price=Price("authentication_international", True)),
    ]
    verification = service.send(person).verification
    for receipts in (told[:1], told[1:], told):
        messages.keep(receipts)
        settle(messages)
        (delivery,) = service.get(person.client, verification.id).deliveries
        if len(receipts) > 1:
            assert delivery.price == Price("authentication_international", True)
