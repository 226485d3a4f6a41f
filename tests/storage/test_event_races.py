"""Events of what happens at the same moment: each change once for each endpoint, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import sqlalchemy as sa

from otp_service.domain.codes import Secret
from otp_service.domain.events import Endpoint, Event
from otp_service.domain.follow_up import look_in
from otp_service.domain.messages import Receipt
from otp_service.domain.verification import DeliveryStatus, Person
from otp_service.storage import event_endpoints
from otp_service.storage.db.database import Database
from otp_service.storage.events import Events
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.verifications import VerificationRow
from otp_service.storage.outbox import Messages
from tests.fakes import FakeSender
from tests.faults.waiting import until
from tests.storage.conftest import MakeService
from tests.storage.events import types, written
from tests.storage.helpers import race, wrong

pytestmark = pytest.mark.usefixtures("patient")

SECRET = Secret(b"s" * 32)
ROUNDS = 12


@pytest.fixture
def endpoints(engine: sa.Engine) -> list[Endpoint]:
    return [event_endpoints.add(engine, SECRET, "https://example.com") for _ in range(2)]


def receipts(messages: Messages, number: int) -> list[Callable[[], object]]:
    """Two webhooks of one message, and two workers that apply what was told."""
    told = (DeliveryStatus.DELIVERED, DeliveryStatus.READ)
    kept = [[Receipt("fake", f"fake-{number}", status)] for status in told]
    settle = partial(messages.settle, 100, look_in)
    return [*(partial(messages.keep, each) for each in kept), settle, settle]


def test_whatever_races_each_change_is_written_once_for_each_endpoint_and_in_order(
    make_service: MakeService,
    person: Person,
    sender: FakeSender,
    engine: sa.Engine,
    endpoints: list[Endpoint],
) -> None:
    service = make_service()
    messages = Messages(Database(engine))
    for number in range(1, ROUNDS + 1):
        who = replace(person, phone=f"+9198765{number:05}")
        sent, code = service.send(who).verification, sender.last_code
        race(
            *[partial(service.verify, who, code)] * 2,
            *[partial(service.verify, who, wrong(code))] * 2,
            partial(service.cancel, who.client, sent.id),
            *receipts(messages, number),
        )
        messages.settle(100, look_in)
    with engine.connect() as connection:
        states = connection.execute(_STATES).all()
    assert len(states) == ROUNDS
    for endpoint in endpoints:
        told = _by_verification(engine, endpoint)
        assert len(told) == ROUNDS
        for of, status, message_status in states:
            assert message_status == "read"
            assert max(Counter(told[of]).values()) == 1
            assert told[of][:2] == ["verification.started", "message.submitted"]
            # Which of two that have nothing to do with each other comes first, nobody says.
            ends, moved = (
                [each for each in told[of][2:] if each.startswith(kind)]
                for kind in ("verification", "message")
            )
            assert ends == [f"verification.{status}"]
            assert moved in (["message.delivered", "message.read"], ["message.read"])


_STATES = sa.select(VerificationRow.id, VerificationRow.status, DeliveryRow.status).join(
    DeliveryRow, DeliveryRow.verification_id == VerificationRow.id
)


def _by_verification(engine: sa.Engine, endpoint: Endpoint) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for each in written(engine, endpoint.id):
        told.setdefault(each.verification_id, []).append(each.type)
    return told


def test_several_who_tell_tell_each_event_once_and_in_order_while_more_happen(
    make_service: MakeService,
    person: Person,
    sender: FakeSender,
    engine: sa.Engine,
    endpoints: list[Endpoint],
) -> None:
    service = make_service()
    events, told = Events([SECRET], Database(engine)), list[Event]()

    def tell(endpoint: Endpoint) -> None:
        """All that can be told now: what is behind another may come a second later."""
        while found := events.take(endpoint, 3):
            for event in found:
                told.append(event)
                events.told(event)

    def happen(number: int) -> None:
        for turn in range(4):
            sent = service.send(replace(person, phone=f"+9198765{number}{turn:04}")).verification
            service.cancel(sent.client, sent.id)

    race(*[partial(tell, each) for each in endpoints * 2], *map(partial(partial, happen), range(3)))

    def all_are_told() -> bool:
        for each in endpoints:
            tell(each)
        return len(told) >= len(written(engine))

    until(all_are_told)
    assert len(told) == len({event.id for event in told}) == len(types(engine)) == 3 * 4 * 3 * 2
    for of in {(event.endpoint_id, event.verification_id) for event in told}:
        theirs = [e.number for e in told if (e.endpoint_id, e.verification_id) == of]
        assert theirs == sorted(theirs)
