"""What a transaction answers is what the database has."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa

from otp_service.storage.db.transaction import Transaction, given
from otp_service.storage.models.dialects import UtcTime, times
from tests.statements import behind_a_pooler

BOTH_FORMS = pytest.mark.parametrize("sends_messages", [False, True])


AT = given("at", UtcTime())


def _of(engine: sa.Engine, sends_messages: bool, *columns: sa.Label[Any], **given: object) -> Any:
    """The one row of a select of these columns."""
    if sends_messages and engine.dialect.name == "postgresql":
        behind_a_pooler(engine)
    (row,) = Transaction(sa.select(*columns)).run(engine, **given)
    return row


@BOTH_FORMS
@pytest.mark.parametrize("text", ['"', "\\", "'", "%s", "\n\t\x01", "नमस्ते", "😀", "", "null"])
def test_a_text_is_the_same_whatever_is_in_it(
    engine: sa.Engine, text: str, sends_messages: bool
) -> None:
    row = _of(engine, sends_messages, given("text", sa.String()).label("text"), text=text)
    assert row.text == text


@BOTH_FORMS
def test_numbers_truths_and_nulls_keep_their_types(engine: sa.Engine, sends_messages: bool) -> None:
    row = _of(
        engine,
        sends_messages,
        sa.literal(2**31 - 1, sa.Integer()).label("whole"),
        sa.true().label("yes"),
        sa.false().label("no"),
        sa.null().label("absent"),
    )
    assert (row.whole, row.absent) == (2**31 - 1, None)
    assert (bool(row.yes), bool(row.no)) == (True, False)


@BOTH_FORMS
@pytest.mark.parametrize("microsecond", [0, 1, 10, 123456, 500000, 999999])
@pytest.mark.parametrize("year", [1970, 2026, 2099])
def test_a_time_is_exact_to_the_microsecond_and_aware(
    engine: sa.Engine, year: int, microsecond: int, sends_messages: bool
) -> None:
    time = datetime(year, 12, 31, 23, 59, 59, microsecond, tzinfo=timezone.utc)
    never = sa.cast(sa.null(), UtcTime()).label("never")
    row = _of(engine, sends_messages, AT.label("at"), never, at=time)
    assert (row.at, row.at.utcoffset(), row.never) == (time, timedelta(0), None)


@BOTH_FORMS
def test_a_list_of_times_is_exact(engine: sa.Engine, sends_messages: bool) -> None:
    time = datetime(2026, 11, 28, 1, 2, 3, 450000, tzinfo=timezone.utc)
    row = _of(engine, sends_messages, times(AT).label("at"), at=time)
    assert row.at == [time]


def test_rows_keep_the_order_that_was_asked_for(engine: sa.Engine) -> None:
    numbers = sa.union_all(*(sa.select(sa.literal(n).label("n")) for n in (2, 1, 3))).subquery()
    rows = Transaction(sa.select(numbers.c.n).order_by(numbers.c.n.desc())).run(engine)
    assert [row.n for row in rows] == [3, 2, 1]


def test_nothing_found_is_no_row(engine: sa.Engine) -> None:
    assert Transaction(sa.select(sa.literal(1).label("n")).where(sa.false())).run(engine) == []
