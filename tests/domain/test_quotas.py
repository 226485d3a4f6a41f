"""Until when a limit is met, and what a refusal tells of it."""

from __future__ import annotations

from datetime import timedelta

from otp_service.domain.limits import Limit
from otp_service.domain.quotas import Block, Quota
from tests.domain.samples import NOW, TEN_MINUTES

SOON = NOW + timedelta(seconds=76.5)


def test_a_block_lasts_until_its_limit_is_met_no_more() -> None:
    assert Block.until(TEN_MINUTES, SOON, NOW) == Block(TEN_MINUTES, 77, SOON)


def test_a_block_that_ends_now_is_still_waited_for() -> None:
    assert Block.until(TEN_MINUTES, NOW, NOW).retry_after == 1


def test_a_quota_whose_limit_is_met_is_a_block() -> None:
    assert Block.of(Quota(0, 77, SOON), TEN_MINUTES) == Block(TEN_MINUTES, 77, SOON)


def test_a_quota_without_a_limit_that_is_met_blocks_nothing() -> None:
    assert Block.of(Quota(3, 77, SOON), None) is None


def test_a_refusal_tells_the_limit_and_its_end() -> None:
    assert Block(TEN_MINUTES, 77, SOON).details == {
        "retry_after": 77,
        "limit": "phone_sends",
        "allowed": 5,
        "per_seconds": 600,
        "resets_at": SOON,
    }


def test_an_end_that_is_not_known_is_not_told() -> None:
    details = Block(Limit("failures_in_a_row", 100, 0), 60).details
    assert details == {"retry_after": 60, "limit": "failures_in_a_row", "allowed": 100}
