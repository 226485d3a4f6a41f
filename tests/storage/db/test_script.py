"""Statements on SQLite: planned once, and what they look up."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
import sqlalchemy as sa

from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person
from otp_service.storage.db.lookup import Lookup, Seldom
from otp_service.storage.db.transaction import Transaction, given
from otp_service.storage.models.dialects import clock, from_now
from tests.fakes import FakeSender

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def planned(engine: sa.Engine) -> list[tuple[Any, ...]]:
    """What SQLite asks about whatever it plans on this engine's connection from now on."""
    asked: list[tuple[Any, ...]] = []

    def note(*what: Any) -> int:
        asked.append(what)
        return sqlite3.SQLITE_OK

    with engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.set_authorizer(note)
    return asked


@ON_SQLITE
def test_a_send_and_a_check_are_planned_once_and_call_no_function_for_a_time(
    engine: sa.Engine, service: OtpService, person: Person, sender: FakeSender
) -> None:
    asked = planned(engine)
    service.send(person)
    service.verify(person, sender.last_code)
    functions = {name for action, _, name, *_ in asked if action == sqlite3.SQLITE_FUNCTION}
    assert "bind_tag" in functions
    assert "from_now" not in functions
    asked.clear()
    service.send(person)
    service.verify(person, sender.last_code)
    assert asked == []


def numbers(*found: int, name: str) -> Lookup:
    rows = sa.union_all(*(sa.select(sa.literal(n).label(name)) for n in found)).subquery()
    return Lookup(sa.select(rows.c[name]).order_by(rows.c[name]))


def test_of_what_is_looked_up_the_first_row_counts_and_no_row_is_null(engine: sa.Engine) -> None:
    several, one = numbers(3, 2, 4, name="several"), numbers(7, name="one")
    none = Lookup(sa.select(sa.literal(5).label("none")).where(sa.false()))
    after = Lookup(sa.select((several["several"] + one["one"]).label("after")))
    answer = sa.select(*(each.columns()[0] for each in (several, one, none, after)))
    [row] = Transaction(several, none, one, after, answer).run(engine)
    assert tuple(row) == (2, 7, None, 9)


@pytest.mark.parametrize(("wanted", "found"), [(True, 1), (False, None), (None, None)])
def test_what_is_seldom_done_is_done_if_its_condition_holds(
    engine: sa.Engine, wanted: bool | None, found: int | None
) -> None:
    done = Lookup(sa.select(sa.literal(1).label("done")))
    told = Lookup(sa.select(given("wanted", sa.Boolean()).label("wanted")))
    [row] = Transaction(told, Seldom(told["wanted"], done), sa.select(*done.columns())).run(
        engine, wanted=wanted
    )
    assert row.done == found


@ON_SQLITE
def test_all_times_of_a_transaction_are_of_one_moment(engine: sa.Engine) -> None:
    later = from_now(given("seconds", sa.Float())).label("later")
    worked_out = from_now(60 * given("minutes", sa.Integer())).label("worked_out")
    times = Transaction(sa.select(clock().label("now"), from_now(-60).label("before"), later))
    [row] = times.run(engine, seconds=0.5)
    assert (row.now - row.before).total_seconds() == 60
    assert (row.later - row.now).total_seconds() == 0.5
    assert times.run(engine, seconds=None)[0].later is None
    [row] = Transaction(sa.select(clock().label("now"), worked_out)).run(engine, minutes=2)
    assert 120 <= (row.worked_out - row.now).total_seconds() < 125
