"""How the rules for destinations are written; what they refuse: `tests/domain`."""

from __future__ import annotations

from pathlib import Path

import pytest

from otp_service.domain.destination import BLOCKED_TYPES
from tests.settings.environments import load, problems


def test_where_nothing_is_set_some_kinds_of_numbers_get_no_messages(tmp_path: Path) -> None:
    rules = load(tmp_path).destinations
    assert (rules.countries, rules.blocked_prefixes) == (frozenset(), ())
    assert (rules.accepted_prefixes, rules.default_country) == ((), None)
    assert rules.blocked_types == BLOCKED_TYPES


def test_entries_stand_between_commas(tmp_path: Path) -> None:
    rules = load(
        tmp_path,
        OTP_ALLOWED_COUNTRIES=" in, US,",
        OTP_BLOCKED_PREFIXES="+88213,+8835",
        OTP_ACCEPTED_PREFIXES="+1436",
        OTP_DEFAULT_COUNTRY="in",
        OTP_BLOCKED_NUMBER_TYPES="VoIP, pager",
    ).destinations
    assert rules.countries == {"IN", "US"}
    assert (rules.blocked_prefixes, rules.accepted_prefixes) == (("+88213", "+8835"), ("+1436",))
    assert rules.blocked_types == {"voip", "pager"}
    assert rules.default_country == "IN"


@pytest.mark.parametrize(("text", "types"), [("off", frozenset()), (",", BLOCKED_TYPES)])
def test_kinds_may_be_off(tmp_path: Path, text: str, types: frozenset[str]) -> None:
    assert load(tmp_path, OTP_BLOCKED_NUMBER_TYPES=text).destinations.blocked_types == types


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTP_ALLOWED_COUNTRIES", "IN,QQ"),
        ("OTP_BLOCKED_PREFIXES", "88213"),
        ("OTP_ACCEPTED_PREFIXES", "+0"),
        ("OTP_DEFAULT_COUNTRY", "India"),
        ("OTP_BLOCKED_NUMBER_TYPES", "off,"),
    ],
)
def test_each_problem_names_its_variable(tmp_path: Path, name: str, value: str) -> None:
    (problem,) = problems(tmp_path, **{name: value})
    assert problem.startswith(f"{name} must be ")
