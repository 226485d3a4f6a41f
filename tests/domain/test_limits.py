"""The numbers: what a refusal tells of them, and what several stores share."""

from __future__ import annotations

from datetime import timedelta

import pytest

from otp_service.domain.limits import DAY, Limit, Limits, limits, seconds_until
from tests.domain.samples import NOW, TEN_MINUTES

EACH_OF_LIMITS = {
    "phone_sends": limits("phone_sends", (6, 600), (20, DAY)),
    "purpose_sends": limits("purpose_sends", (4, 600)),
    "address_sends": limits("address_sends", (20, 600)),
    "phone_refusals": limits("phone_refusals", (10, 3_600)),
    "client_refusals": limits("client_refusals", (100, 600)),
    "phone_failures": limits("phone_failures", (10, 3_600), (30, DAY)),
}


def test_a_refusal_tells_how_many_in_which_time() -> None:
    assert TEN_MINUTES.details == {"limit": "phone_sends", "allowed": 5, "per_seconds": 600}


def test_a_limit_of_what_is_there_at_once_has_no_time() -> None:
    assert Limit("live_verifications", 3, 0).details == {
        "limit": "live_verifications",
        "allowed": 3,
    }


def test_a_window_ends_its_seconds_after_it_began() -> None:
    assert TEN_MINUTES.ends_at(NOW) == NOW + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("left", "seconds"), [(-5, 1), (0, 1), (0.2, 1), (1, 1), (1.1, 2), (60, 60)]
)
def test_nobody_is_told_to_come_back_too_early(left: float, seconds: int) -> None:
    assert seconds_until(NOW + timedelta(seconds=left), NOW) == seconds


def test_sends_are_counted_in_the_store_s_order() -> None:
    made = Limits(
        phone_sends=limits("phone_sends", (1, 1)),
        purpose_sends=limits("purpose_sends", (1, 1)),
        address_sends=limits("address_sends", (1, 1)),
        cooldown=limits("cooldown", (1, 1)),
    )
    names = [limit.name for limit in made.sends]
    assert names == ["phone_sends", "purpose_sends", "cooldown", "address_sends"]


# --- wrong guesses ---


def test_the_shortest_window_leaves_room_for_one_verification_more() -> None:
    made = Limits(phone_failures=limits("phone_failures", (30, DAY), (10, 3_600)), max_attempts=4)
    assert made.guess_ceilings == limits("phone_failures", (30, DAY), (14, 3_600))


def test_failures_in_a_row_have_no_window() -> None:
    assert Limits(failures_in_a_row=7).in_a_row == Limit("failures_in_a_row", 7, 0)


# --- several stores that don't know of each other ---


@pytest.mark.parametrize(("count", "part"), [(20, 10), (5, 2), (2, 1), (1, 1)])
def test_each_of_two_stores_has_half_and_one_at_least(count: int, part: int) -> None:
    assert Limit("phone_sends", count, 600).shared_by(2) == Limit("phone_sends", part, 600)


@pytest.mark.parametrize("name", EACH_OF_LIMITS)
def test_stores_share_every_window(name: str) -> None:
    made = Limits(**EACH_OF_LIMITS)  # type: ignore[arg-type]
    halves = tuple(window.shared_by(2) for window in EACH_OF_LIMITS[name])
    assert getattr(made.shared_by(2), name) == halves


def test_stores_share_what_is_live_and_what_a_client_may_ask() -> None:
    made = Limits(
        live_verifications=Limit("live_verifications", 4, 0),
        client_requests=Limit("client_requests", 600, 60),
    ).shared_by(2)
    assert made.live_verifications.count == 2
    assert made.client_requests == Limit("client_requests", 300, 60)


def test_without_a_limit_of_requests_there_is_none_to_share() -> None:
    assert Limits().shared_by(2).client_requests is None


def test_what_is_counted_for_one_code_or_in_a_row_is_not_divided() -> None:
    made = Limits(max_attempts=5, failures_in_a_row=100, cooldown=limits("cooldown", (1, 30)))
    shared = made.shared_by(2)
    assert (shared.max_attempts, shared.failures_in_a_row) == (5, 100)
    assert shared.cooldown == made.cooldown


def test_a_store_alone_has_everything() -> None:
    assert Limits().shared_by(1) == Limits()
