"""How late the oldest message and the oldest receipt are, by the database's own clock."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from otp_service.domain.drafts import SendOptions
from otp_service.domain.messages import Receipt
from otp_service.domain.service import OtpService
from otp_service.domain.verification import DeliveryStatus, Person
from otp_service.storage.db.database import Database
from otp_service.storage.outbox import Messages
from tests.storage.helpers import pass_time

LATE = SendOptions(background=True)
Age = Callable[[], float]


@pytest.fixture
def age(messages: Messages, engine: sa.Engine) -> Age:
    return lambda: messages.oldest_due(Database(engine))[0]


def test_of_several_messages_that_are_due_the_oldest_counts(
    service: OtpService, person: Person, engine: sa.Engine, age: Age
) -> None:
    service.send(person, LATE)
    pass_time(engine, 100)
    service.send(Person("public", "+919876543211", "login"), LATE)
    assert 100 <= age() < 110
    pass_time(engine, 20)
    assert 120 <= age() < 130


def test_where_nothing_waits_it_is_0(service: OtpService, person: Person, age: Age) -> None:
    assert age() == 0
    service.send(person)  # the request sends it
    assert age() == 0


def test_what_a_worker_has_in_hand_is_due_when_its_lease_has_ended(
    service: OtpService, person: Person, engine: sa.Engine, messages: Messages, age: Age
) -> None:
    service.send(person, LATE)
    pass_time(engine, 100)
    assert messages.take(1)
    assert age() == 0
    pass_time(engine, 70)
    assert 10 <= age() < 20


def test_what_is_done_is_due_no_more_and_what_is_tried_later_is_due_then(
    service: OtpService, person: Person, engine: sa.Engine, messages: Messages, age: Age
) -> None:
    service.send(person, LATE)
    (message,) = messages.take(1)
    messages.submitted(message, "its id", 0, 30.0)
    pass_time(engine, 20)  # and the test may take some more
    assert age() == 0
    pass_time(engine, 15)
    assert 5 <= age() < 15
    messages.close(*messages.take(1))
    assert age() == 0


def test_receipts_are_due_from_when_they_were_told_until_they_are_applied(
    service: OtpService, person: Person, engine: sa.Engine, messages: Messages
) -> None:
    service.send(person)
    messages.keep([Receipt("fake", "fake-1", DeliveryStatus.DELIVERED)])
    pass_time(engine, 40)
    message, receipt = messages.oldest_due(Database(engine))
    assert (message, 40 <= receipt < 50) == (0, True)
    messages.settle(10, lambda receipt: 0)
    assert messages.oldest_due(Database(engine)) == (0, 0)
