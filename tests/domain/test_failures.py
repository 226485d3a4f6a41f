"""What each failure is called, told as, and how loudly."""

from __future__ import annotations

import logging
import re

import pytest

from otp_service.domain import failures
from otp_service.domain.failures import FAILURES, Outcome, explain

LEVELS = {
    Outcome.RECIPIENT: logging.WARNING,
    Outcome.DESTINATION: logging.WARNING,
    Outcome.REFUSED: logging.WARNING,
    Outcome.CONFIGURATION: logging.ERROR,
    Outcome.ACCOUNT: logging.ERROR,
    Outcome.TEMPORARY: logging.WARNING,
    Outcome.UNKNOWN: logging.WARNING,
}


@pytest.mark.parametrize("code", FAILURES)
def test_only_what_the_operator_can_mend_is_loud(code: str) -> None:
    failure = FAILURES[code]
    assert failure.level == LEVELS[failure.outcome]


@pytest.mark.parametrize("code", FAILURES)
def test_every_failure_has_a_name_and_an_explanation(code: str) -> None:
    assert re.fullmatch(r"[a-z_]+", code)
    assert explain(code) == FAILURES[code].explanation
    assert FAILURES[code].explanation.endswith(".")


@pytest.mark.parametrize("code", FAILURES)
def test_whoever_has_to_mend_it_is_told_how(code: str) -> None:
    failure = FAILURES[code]
    if LEVELS[failure.outcome] == logging.ERROR:
        assert failure.advice


def test_the_operator_reads_what_to_do() -> None:
    advice = failures.BALANCE_EMPTY.advice
    assert failures.BALANCE_EMPTY.operator_text == f"balance_empty: {advice}"


def test_where_there_is_nothing_to_do_the_operator_reads_what_it_means() -> None:
    assert failures.BARRED.operator_text == f"barred: {failures.BARRED.explanation}"


@pytest.mark.parametrize("code", [None, "", "a_code_of_a_later_release"])
def test_what_is_no_failure_has_no_explanation(code: str | None) -> None:
    assert explain(code) is None
