"""When it is tried again."""

from __future__ import annotations

from otp_service.events.schedule import WAITS, wait_after

MINUTE, HOUR = 60, 3_600


def test_after_each_try_that_failed_it_waits_longer_and_after_the_tenth_it_gives_up() -> None:
    waits = [wait_after(tries) for tries in range(11)]
    assert waits[:3] == [5, 5 * MINUTE, 30 * MINUTE]
    assert waits[3:9] == [2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]
    assert waits[9:] == [None, None]
    assert 3 < sum(WAITS) / (24 * HOUR) < 3.2  # days
