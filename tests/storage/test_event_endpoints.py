"""The endpoints that get events: secrets sealed at rest, a copy in the fallback, an end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from otp_service.domain.codes import Codes
from otp_service.domain.dispatch import Dispatch
from otp_service.domain.events import EventType
from otp_service.domain.limits import Limits
from otp_service.domain.sending import Sending
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Channel, Person
from otp_service.storage import event_endpoints, retention
from otp_service.storage.db.database import Database
from otp_service.storage.events import Events
from otp_service.storage.homes import Homes
from otp_service.storage.models.events import EventEndpointRow
from otp_service.storage.outbox import Messages
from otp_service.storage.sql import live
from otp_service.storage.sql.audit import find
from otp_service.storage.verifications import Operations, SqlStore
from tests.databases import new_sqlite_file
from tests.fakes import FakeSender
from tests.storage.conftest import POLICY
from tests.storage.events import types
from tests.storage.helpers import pass_time
from tests.storage.signing import AWAY, NEW, OLD, database_at
from tests.storage.upgrades import engine_on

URL = "https://example.com/events"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the endpoints at each look."""
    monkeypatch.setattr(event_endpoints, "SECONDS_TRUSTED", 0)


@pytest.fixture
def fallback(tmp_path: Path) -> Iterator[sa.Engine]:
    with engine_on(new_sqlite_file(tmp_path / "fallback.db")) as engine:
        yield engine


def stored(engine: sa.Engine) -> list[sa.Row[tuple[str, str]]]:
    row = EventEndpointRow
    with engine.connect() as connection:
        return list(connection.execute(sa.select(row.secret, row.secret_id)).all())


def test_an_endpoint_is_as_it_was_asked_for(engine: sa.Engine) -> None:
    some = [EventType.VERIFIED, EventType.MESSAGE_READ]
    made = event_endpoints.add(engine, OLD, URL, client="shop", types=some, with_phone=False)
    (known,) = Events([OLD], Database(engine)).endpoints()
    assert known == made
    assert (known.url, known.client, known.types) == (URL, "shop", tuple(some))
    assert (known.with_phone, known.ended_at, len(known.key)) == (False, None, 32)


def test_a_secret_is_sealed_and_opens_for_its_own_endpoint_only(engine: sa.Engine) -> None:
    first, second = (event_endpoints.add(engine, OLD, URL) for _ in range(2))
    assert first.key != second.key
    (sealed, secret_id), _ = stored(engine)
    assert first.key.hex() not in sealed
    assert secret_id == OLD.id
    with engine.begin() as connection:
        connection.execute(sa.update(EventEndpointRow).values(secret=sealed))
    keys = {each.id: each.key for each in event_endpoints.everything(engine, [OLD])}
    assert keys == {first.id: first.key, second.id: b""}


def test_when_the_secret_is_replaced_the_key_is_sealed_anew_and_stays(engine: sa.Engine) -> None:
    made = event_endpoints.add(engine, OLD, URL)
    assert Events([NEW, OLD], Database(engine)).endpoints() == [made]
    ((_, secret_id),) = stored(engine)
    assert secret_id == NEW.id
    (known,) = Events([NEW], Database(engine)).endpoints()  # the old one has gone
    assert known.key == made.key


def test_a_key_whose_secret_is_gone_can_not_be_opened(
    engine: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    made = event_endpoints.add(engine, OLD, URL)
    events = Events([NEW], Database(engine))
    assert [each.key for each in events.endpoints() + events.endpoints()] == [b"", b""]
    assert [made.id in each.message for each in caplog.records] == [True]  # told once
    assert made.key.hex() not in repr(made)


def test_one_that_was_removed_or_wants_no_more_gets_none(
    engine: sa.Engine, service: OtpService, person: Person
) -> None:
    removed, gone, stays = (event_endpoints.add(engine, OLD, URL) for _ in range(3))
    events = Events([OLD], Database(engine))
    assert event_endpoints.remove(engine, removed.id)
    assert not event_endpoints.remove(engine, removed.id)
    for _ in range(2):
        events.end(gone)
    assert events.endpoints() == [stays]
    service.send(person)
    assert types(engine, removed.id) == types(engine, gone.id) == []
    assert len(types(engine, stays.id)) == 2
    entries = [(each.actor, each.action, each.detail) for each in find(engine, seconds=60, count=9)]
    assert ("service", "endpoint.gone", gone.id) in entries
    assert len([each for each in entries if each[1].startswith("endpoint")]) == 1


def in_an_outage(away: Database, fallback: Database, sender: FakeSender) -> OtpService:
    """A service whose codes are issued in the fallback."""
    stores = [SqlStore(each, Operations.under(Limits(), 1)) for each in (away, fallback)]
    codes, messages = Codes([OLD], 6), Messages(away, fallback)
    dispatch = Dispatch(messages, codes, {Channel.WHATSAPP: [sender]}, sender, POLICY)
    homes = Homes(*stores)
    return OtpService(homes, Sending(dispatch, messages, codes, POLICY), codes, POLICY)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_in_an_outage_the_fallback_writes_events_that_are_told_before_it_is_purged(
    engine: sa.Engine, fallback: sa.Engine, person: Person, sender: FakeSender
) -> None:
    endpoint = event_endpoints.add(engine, OLD, URL)
    second = Database(fallback)
    assert Events([OLD], Database(engine), second).endpoints() == [endpoint]
    with database_at(AWAY) as away:
        events = Events([OLD], away, second)  # who starts now reads the copy
        assert events.endpoints() == [endpoint]
        sent = in_an_outage(away, second, sender).send(person).verification
        assert sent.id.startswith("s")
        pass_time(fallback, 200)
        assert retention.purge(fallback) == 0
        assert live.in_use(second) == 1
        told = []
        while found := events.take(endpoint, 10):
            told += found
            events.told(found[0])
        assert [(each.type.value, each.home) for each in told] == [
            ("verification.started", "s"),
            ("message.submitted", "s"),
            ("verification.expired", "s"),
        ]
    assert retention.purge(fallback) == 1
    assert live.in_use(second) == 0


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_what_nobody_will_be_told_keeps_no_fallback_from_being_purged(
    engine: sa.Engine, fallback: sa.Engine, person: Person, sender: FakeSender
) -> None:
    endpoint = event_endpoints.add(engine, OLD, URL)
    second = Database(fallback)
    events = Events([OLD], Database(engine), second)
    assert events.endpoints() == [endpoint]
    with database_at(AWAY) as away:
        in_an_outage(away, second, sender).send(person)
    pass_time(fallback, 200)
    events.end(endpoint)
    assert retention.purge(fallback) == 1
