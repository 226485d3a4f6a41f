"""When a database is asked how late messages and receipts are, and what a scrape is told."""

from __future__ import annotations

import pytest

from otp_service.domain.errors import HomeUnreachable
from otp_service.observability import oldest_due
from otp_service.observability.oldest_due import ASK_SECONDS, BUSY_SECONDS, Ages, OldestDue


class Database:
    """Of two connections; what it says of its messages is ages or an error."""

    def __init__(self) -> None:
        self.in_use = 0
        self.says: list[Ages | Exception] = []

    @property
    def connections(self) -> tuple[int, int]:
        return self.in_use, 2

    def ages(self) -> Ages:
        said = self.says.pop(0)
        if isinstance(said, Exception):
            raise said
        return said


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def oldest(database: Database) -> OldestDue:
    return OldestDue(database, database.ages)


def test_nothing_is_known_before_it_was_asked(oldest: OldestDue) -> None:
    assert oldest.seconds is None


def test_it_tells_what_was_found(database: Database, oldest: OldestDue) -> None:
    database.says = [(0.0, 0.0), (12.5, 1.5)]
    assert oldest.ask() == ASK_SECONDS
    assert oldest.seconds == (0, 0)
    oldest.ask()
    assert oldest.seconds == (12.5, 1.5)


@pytest.mark.parametrize("trouble", [HomeUnreachable(), RuntimeError("a row, with +919876543210")])
def test_after_a_question_that_failed_nothing_is_known_until_the_next(
    database: Database,
    oldest: OldestDue,
    trouble: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    database.says = [(3.0, 0.0), trouble, (4.0, 0.0)]
    oldest.ask()
    assert oldest.ask() == ASK_SECONDS
    assert oldest.seconds is None
    assert "+91" not in caplog.text
    oldest.ask()
    assert oldest.seconds == (4, 0)


def test_while_all_connections_are_in_use_it_asks_nothing_and_looks_again_soon(
    database: Database, oldest: OldestDue
) -> None:
    database.says = [(3.0, 0.0)]
    database.in_use = 2
    assert oldest.ask() == BUSY_SECONDS
    assert database.says == [(3.0, 0.0)]
    database.in_use = 1
    assert oldest.ask() == ASK_SECONDS
    assert oldest.seconds == (3, 0)


def test_what_was_found_long_ago_is_not_told(
    database: Database, oldest: OldestDue, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.says = [(3.0, 0.0)]
    oldest.ask()
    monkeypatch.setattr(oldest_due, "OLD_SECONDS", 0)
    assert oldest.seconds is None
