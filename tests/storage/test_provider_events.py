"""The newest that was told of each template, number and account is kept."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from otp_service.delivery import provider_events
from otp_service.domain.provider_events import Kind, Level, ProviderEvent
from otp_service.storage import retention
from otp_service.storage.db.database import Database
from otp_service.storage.models.deliveries import ProviderEventRow
from otp_service.storage.provider_events import ProviderEvents, known
from tests.storage.helpers import pass_time
from tests.storage.upgrades import engine_on

NOW = datetime.now(timezone.utc).replace(microsecond=0)
PAUSED = ProviderEvent(
    *("meta", Kind.TEMPLATE, "status", "paused", Level.TROUBLE),
    name="otp_login",
    language="en_US",
    detail="paused for 3 hours",
    at=NOW - timedelta(hours=2),
)
APPROVED = replace(PAUSED, state="approved", level=Level.FINE, detail="", at=NOW)
QUALITY = replace(PAUSED, topic="quality", state="quality_low", level=Level.RISK)
PORTUGUESE = replace(PAUSED, language="pt_BR")
LOCKED = ProviderEvent("meta", Kind.ACCOUNT, "errors", "account_restricted", Level.TROUBLE)


@pytest.fixture
def events(engine: sa.Engine) -> ProviderEvents:
    return ProviderEvents(Database(engine))


def told(engine: sa.Engine) -> list[ProviderEvent]:
    return [each.event for each in known([engine])]


def test_the_newest_of_each_topic_is_known_whatever_came_first(
    events: ProviderEvents, engine: sa.Engine
) -> None:
    shuffled = [PAUSED, APPROVED, QUALITY, PORTUGUESE] * 2
    random.shuffle(shuffled)
    for event in shuffled:
        events.keep([event])
    assert sorted(told(engine), key=repr) == sorted([APPROVED, QUALITY, PORTUGUESE], key=repr)
    assert told(engine)[0] == APPROVED


def test_many_of_one_webhook_are_kept_at_once_and_of_twins_the_last(
    events: ProviderEvents, engine: sa.Engine
) -> None:
    events.keep([PAUSED, QUALITY, replace(PAUSED, detail="again")])
    assert {event.detail for event in told(engine) if event.topic == "status"} == {"again"}
    assert len(told(engine)) == 2


def test_what_was_told_without_a_time_has_that_of_its_arrival(
    events: ProviderEvents, engine: sa.Engine
) -> None:
    events.keep([LOCKED])
    (found,) = known([engine])
    assert abs(found.at - datetime.now(timezone.utc)) < timedelta(seconds=30)
    assert timedelta() <= found.age < timedelta(seconds=30)


def test_it_is_forgotten_with_the_rest(events: ProviderEvents, engine: sa.Engine) -> None:
    events.keep([PAUSED])
    retention.cleanup(engine, 30)
    assert len(told(engine)) == 1
    pass_time(engine, 31 * 86_400)
    retention.cleanup(engine, 30)
    with engine.connect() as connection:
        assert connection.execute(sa.select(ProviderEventRow.id)).all() == []


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_while_postgres_is_away_the_fallback_keeps_them(
    events: ProviderEvents, engine: sa.Engine, sqlite_url: str
) -> None:
    events.keep([PAUSED])
    nowhere = "postgresql+psycopg2://nobody@127.0.0.1:9/nowhere"
    with engine_on(nowhere) as away, engine_on(sqlite_url) as fallback:
        ProviderEvents(Database(away), Database(fallback)).keep([APPROVED, LOCKED])
        states = {each.event.state for each in known([engine, fallback])}
        assert states == {"approved", "account_restricted"}
        assert [each.event.state for each in known([away, engine])] == ["paused"]


def test_what_is_told_is_kept_whatever_its_length(
    events: ProviderEvents, engine: sa.Engine
) -> None:
    long = "+919876543210 " + "x" * 1_000
    fields = ("event", "message_template_name", "message_template_language", "reason")
    value = dict.fromkeys((*fields, "message_template_id", "display_phone_number"), long)
    for field in ("message_template_status_update", "phone_number_quality_update", "security"):
        changes = [{"field": field, "value": value}]
        told_so = provider_events.meta({"entry": [{"id": long, "changes": changes}]})
        events.keep(told_so)
        assert "9876543210" not in repr(told_so)
    assert len(told(engine)) == 3
