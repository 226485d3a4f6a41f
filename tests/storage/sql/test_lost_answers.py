"""A message whose answer was lost is settled by the receipts that name it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import CodeAlreadySent, DeliveryUnconfirmed
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Delivery, Person
from otp_service.storage.models.deliveries import DeliveryRow, ReceiptRow
from otp_service.storage.outbox import Messages
from tests.fakes import FakeSender
from tests.storage.helpers import pass_time
from tests.storage.sql.receipts import DELIVERED, READ, SENT, WALLET, S, settle


def only_delivery(service: OtpService, person: Person) -> Delivery:
    with pytest.raises(CodeAlreadySent) as live:
        service.send(person)
    (delivery,) = service.get(person.client, live.value.verification.id).deliveries
    return delivery


@pytest.fixture
def lost(service: OtpService, sender: FakeSender, person: Person) -> Delivery:
    """It may be out, and nobody knows what the provider calls it."""
    sender.failure = DeliveryUnconfirmed("no usable answer: ReadTimeout")
    with pytest.raises(DeliveryUnconfirmed):
        service.send(person)
    return only_delivery(service, person)


@pytest.mark.parametrize("seed", range(4))
def test_receipts_that_name_our_delivery_settle_it_in_any_order(
    service: OtpService, messages: Messages, person: Person, lost: Delivery, seed: int
) -> None:
    all_of_them = [replace(each, delivery_id=lost.id) for each in (SENT, DELIVERED, READ)]
    random.Random(seed).shuffle(all_of_them)
    for receipt in all_of_them:
        messages.keep([receipt])
        settle(messages)
    delivery = only_delivery(service, person)
    assert (delivery.status, delivery.error_code, delivery.reason) == (S.READ, None, None)
    times = (delivery.sent_at, delivery.delivered_at, delivery.read_at)
    assert times == (SENT.at, DELIVERED.at, READ.at)
    assert delivery.submitted_at == delivery.created_at


def test_after_the_first_of_them_the_providers_own_id_is_known(
    service: OtpService, messages: Messages, person: Person, lost: Delivery
) -> None:
    for receipt in (replace(SENT, delivery_id=lost.id), DELIVERED):
        messages.keep([receipt])
        settle(messages)
    assert only_delivery(service, person).status is S.DELIVERED


def test_a_message_that_failed_although_its_answer_was_lost_tells_why_in_any_order(
    service: OtpService, messages: Messages, person: Person, lost: Delivery
) -> None:
    told = [replace(each, delivery_id=lost.id) for each in (SENT, WALLET)]
    random.shuffle(told)
    for receipt in told:
        messages.keep([receipt])
        settle(messages)
    delivery = only_delivery(service, person)
    assert (delivery.status, delivery.error_code) == (S.FAILED, "balance_empty")
    assert (delivery.reason, delivery.submitted_at) == ("1003", delivery.created_at)


@pytest.mark.parametrize("mangled", [None, "", "d" * 32])
def test_a_receipt_that_names_no_delivery_of_ours_settles_nothing(
    service: OtpService, messages: Messages, person: Person, lost: Delivery, mangled: str | None
) -> None:
    messages.keep([replace(DELIVERED, delivery_id=mangled)])
    messages.keep([replace(DELIVERED, provider="meta", delivery_id=lost.id)])
    settle(messages)
    delivery = only_delivery(service, person)
    assert (delivery.status, delivery.error_code) == (S.QUEUED, "unconfirmed")


def test_while_the_call_is_under_way_the_receipt_waits(
    service: OtpService,
    messages: Messages,
    person: Person,
    sender: FakeSender,
    engine: sa.Engine,
) -> None:
    def tell_early() -> None:
        messages.keep([replace(DELIVERED, delivery_id=only_delivery(service, person).id)])
        settle(messages)

    sender.on_send = tell_early
    verification = service.send(person).verification
    (delivery,) = service.get(person.client, verification.id).deliveries
    assert delivery.status is S.SUBMITTED
    with engine.begin() as connection:
        connection.execute(sa.update(ReceiptRow).values(due_at=ReceiptRow.created_at))
    settle(messages)
    assert only_delivery(service, person).status is S.DELIVERED


def test_a_process_that_died_after_its_call_leaves_a_message_that_receipts_settle(
    service: OtpService, messages: Messages, person: Person, engine: sa.Engine
) -> None:
    service.send(person)
    delivery = only_delivery(service, person)
    unrecorded = {"status": "queued", "submitted_at": None, "provider_message_id": None}
    with engine.begin() as connection:
        connection.execute(sa.update(DeliveryRow).values(**unrecorded))
    messages.keep([replace(SENT, delivery_id=delivery.id)])
    settle(messages)
    assert only_delivery(service, person).status is S.QUEUED  # as if its call were under way
    pass_time(engine, 61)
    settle(messages)
    assert only_delivery(service, person).status is S.SENT
