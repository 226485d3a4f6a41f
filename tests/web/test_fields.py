"""A field says what it takes, reads what was meant, and writes times in one way."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from marshmallow import Schema, ValidationError

from otp_service.web.fields import Answer, Text, Time, Whole, matches, rfc3339

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("time", "written"),
    [
        (NOON, "2026-11-22T12:00:00.000Z"),
        (NOON + timedelta(microseconds=125_999), "2026-11-22T12:00:00.125Z"),
        (NOON.astimezone(timezone(timedelta(hours=5.5))), "2026-11-22T12:00:00.000Z"),
    ],
)
def test_a_time_is_in_utc_and_to_the_millisecond(time: datetime, written: str) -> None:
    assert rfc3339(time) == written


def test_a_pattern_covers_the_whole_text() -> None:
    check = matches("[0-9]+", "digits")
    check("12")
    for wrong in ("12\n", "a12", "", " 12"):
        with pytest.raises(ValidationError, match="digits"):
            check(wrong)


class Asked(Schema):
    name = Text("Whose", "ann", rule="a name", pattern="[a-z]+", reads=str.lower)


def test_a_text_is_read_before_it_is_looked_at() -> None:
    assert Asked().load({"name": "ANN"}) == {"name": "ann"}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("a b", "Needed: a name, such as ann."),
        (7, "Not a string. Needed: a name, such as ann."),
        (None, "Not null. Needed: a name, such as ann."),
    ],
)
def test_what_is_wrong_is_told_with_the_rule_and_an_example(given: object, problem: str) -> None:
    assert Asked().validate({"name": given}) == {"name": [problem]}


class Counted(Answer):
    count = Whole("How many", 3)
    at = Time("When")


def test_an_answer_leaves_out_what_there_is_not() -> None:
    assert Counted().dump({"count": 0, "at": None}) == {"count": 0}
    assert Counted().dump({"at": NOON}) == {"at": "2026-11-22T12:00:00.000Z"}
