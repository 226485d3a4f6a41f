"""Events between those who tell them: leases, order, later tries, and telling again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from otp_service.domain.codes import Secret
from otp_service.domain.events import Endpoint, Event, EventType
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person
from otp_service.storage import event_endpoints, retention
from otp_service.storage.db.database import Database
from otp_service.storage.events import Events
from otp_service.storage.models.verifications import VerificationRow
from otp_service.storage.sql.events import LOOKED_AT, replay
from tests.fakes import FakeSender
from tests.storage.events import written
from tests.storage.helpers import pass_time

SECRET = Secret(b"s" * 32)
STARTED, SUBMITTED, VERIFIED = (
    EventType.STARTED,
    EventType.MESSAGE_SUBMITTED,
    EventType.VERIFIED,
)


@pytest.fixture
def events(engine: sa.Engine) -> Events:
    return Events([SECRET], Database(engine))


@pytest.fixture
def endpoint(engine: sa.Engine) -> Endpoint:
    return event_endpoints.add(engine, SECRET, "https://example.com/events")


def phones(count: int) -> list[str]:
    return [f"+9198765{number:05}" for number in range(count)]


def take(events: Events, endpoint: Endpoint) -> Event:
    (event,) = events.take(endpoint, 10)
    return event


def test_events_of_a_verification_come_one_after_the_other(
    service: OtpService,
    person: Person,
    sender: FakeSender,
    events: Events,
    endpoint: Endpoint,
) -> None:
    sent = service.send(person).verification
    service.verify(person, sender.last_code)
    told = []
    while found := events.take(endpoint, 10):
        told += found
        assert events.take(endpoint, 10) == []  # what is behind it waits
        events.told(found[0])
    assert [event.type for event in told] == [STARTED, SUBMITTED, VERIFIED]
    assert {(e.client, e.phone, e.purpose, e.verification_id, e.message_id) for e in told} == {
        (person.client, person.phone, person.purpose, sent.id, None)
    }
    assert {(e.endpoint_id, e.home, e.tries) for e in told} == {(endpoint.id, sent.id[0], 0)}


def test_of_a_code_that_a_caller_made_the_message_is_named(
    service: OtpService, person: Person, engine: sa.Engine, events: Events, endpoint: Endpoint
) -> None:
    sent = service.send(person).verification
    with engine.begin() as connection:
        connection.execute(sa.update(VerificationRow).values(status="relayed"))
    event = take(events, endpoint)
    assert (event.verification_id, event.message_id) == (None, sent.id)


def test_an_event_that_failed_comes_again_and_holds_up_what_is_behind_it_alone(
    service: OtpService, person: Person, engine: sa.Engine, events: Events, endpoint: Endpoint
) -> None:
    service.send(person)
    first = take(events, endpoint)
    events.postpone(first, 300)
    assert events.take(endpoint, 10) == []
    other = service.send(replace(person, phone="+919876543211")).verification
    for _ in range(2):
        theirs = take(events, endpoint)
        assert theirs.verification_id == other.id
        events.told(theirs)
    pass_time(engine, 301)
    again = take(events, endpoint)
    assert (again.id, again.type, again.tries) == (first.id, STARTED, 1)
    events.told(again)
    assert take(events, endpoint).type is SUBMITTED


def test_one_that_was_given_up_holds_up_nothing(
    service: OtpService, person: Person, engine: sa.Engine, events: Events, endpoint: Endpoint
) -> None:
    service.send(person)
    events.postpone(take(events, endpoint), None)
    assert take(events, endpoint).type is SUBMITTED
    pass_time(engine, 300)
    assert take(events, endpoint).type is SUBMITTED


def test_one_endpoint_waits_for_no_other(
    service: OtpService, person: Person, engine: sa.Engine, events: Events, endpoint: Endpoint
) -> None:
    other = event_endpoints.add(engine, SECRET, "https://example.org", types=[STARTED])
    service.send(person)
    events.postpone(take(events, endpoint), 300)
    assert take(events, other).type is STARTED


def test_what_one_has_taken_no_other_gets(
    service: OtpService, person: Person, events: Events, endpoint: Endpoint
) -> None:
    for phone in phones(20):
        service.send(replace(person, phone=phone))
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: events.take(endpoint, 5), range(8)))
    assert max(map(len, taken)) <= 5
    ids = [event.id for batch in taken for event in batch]
    ids += [event.id for event in events.take(endpoint, 20)]
    assert len(ids) == len(set(ids)) == 20


def test_a_lease_ends_and_who_has_lost_it_changes_nothing(
    service: OtpService, person: Person, engine: sa.Engine, events: Events, endpoint: Endpoint
) -> None:
    service.send(person)
    late = take(events, endpoint)
    pass_time(engine, 61)
    now = take(events, endpoint)
    assert now.id == late.id
    events.told(late)
    events.postpone(late, 0)
    events.postpone(late, None)
    assert events.take(endpoint, 10) == []
    events.told(now)
    assert take(events, endpoint).type is SUBMITTED


def test_many_that_wait_for_others_are_not_looked_at_again_and_again(
    service: OtpService, person: Person, engine: sa.Engine, events: Events, endpoint: Endpoint
) -> None:
    """And keep nobody from those that wait for nothing."""
    sent = service.send(person).verification
    with engine.begin() as connection:
        row = connection.execute(sa.select(*VerificationRow.__table__.c)).one()._asdict()
        ids = [f"{sent.id[:20]}{number:05}" for number in range(LOOKED_AT + 10)]
        connection.execute(sa.insert(VerificationRow), [row | {"id": each} for each in ids])
    for event in events.take(endpoint, 1000):
        events.postpone(event, 3600)
    with engine.begin() as connection:
        connection.execute(sa.update(VerificationRow).values(status="canceled"))
    service.send(replace(person, phone="+919876543211"))
    assert take(events, endpoint).type is STARTED
    in_50_minutes = written(engine)[0].at + timedelta(minutes=50)
    behind = [each.due_at for each in written(engine) if each.type == "verification.canceled"]
    assert len(behind) > LOOKED_AT
    assert min(behind) > in_50_minutes


def test_what_happened_since_a_time_is_told_again_in_order(
    service: OtpService, person: Person, engine: sa.Engine, events: Events, endpoint: Endpoint
) -> None:
    for phone in phones(2):
        service.send(replace(person, phone=phone))
        while found := events.take(endpoint, 10):
            events.told(found[0])
    third = written(engine)[2]
    assert replay(engine, third.at) == 2
    assert replay(engine, third.at, "another") == 0
    assert replay(engine, third.at, endpoint.id) == 2
    again = take(events, endpoint)
    assert (again.id, again.type, again.tries) == (third.id, STARTED, 0)
    events.told(again)
    assert take(events, endpoint).type is SUBMITTED


def test_a_backlog_is_what_waits_and_how_late_the_oldest_is(
    service: OtpService, person: Person, engine: sa.Engine, events: Events, endpoint: Endpoint
) -> None:
    home = Database(engine)
    assert events.backlog(home) == (0, 0.0)
    service.send(person)
    pass_time(engine, 100)
    waiting, oldest = events.backlog(home)
    assert (waiting, 100 <= oldest < 160) == (2, True)
    events.postpone(take(events, endpoint), 300)
    assert events.take(endpoint, 10) == []
    assert events.backlog(home) == (2, 0.0)  # nobody is late with them
    event_endpoints.remove(engine, endpoint.id)
    assert events.backlog(home) == (0, 0.0)


def test_what_has_expired_is_marked_where_somebody_is_told_of_it(
    service: OtpService, person: Person, engine: sa.Engine, events: Events
) -> None:
    service.send(person)
    pass_time(engine, 200)
    events.expire()
    assert retention.cleanup(engine, days=30) == (1, 0)
    ends = event_endpoints.add(engine, SECRET, "https://example.com", types=[EventType.EXPIRED])
    events.cache.refresh()
    service.send(person)
    pass_time(engine, 200)
    events.expire()
    assert take(events, ends).type is EventType.EXPIRED


def test_events_do_not_keep_what_is_old(
    service: OtpService, person: Person, engine: sa.Engine, endpoint: Endpoint
) -> None:
    service.send(person)
    pass_time(engine, 31 * 86_400)
    assert retention.cleanup(engine, days=30) == (1, 1)
    assert written(engine) == []
