"""The verification as a resource."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.conftest import MakeApp
from tests.faults.service import Caller
from tests.storage.helpers import wrong


@pytest.fixture(params=["sqlite", "postgres"])
def caller(request: pytest.FixtureRequest, make_app: MakeApp) -> Caller:
    url = request.getfixturevalue(f"{request.param}_url")
    return Caller(make_app(DATABASE_URL=url))


def test_one_that_is_pending_tells_the_seconds_it_has_left(caller: Caller) -> None:
    assert caller.get(caller.send().id).data["expires_in"] == 180


@pytest.mark.parametrize("ending", ["canceled", "verified", "failed", "expired"])
def test_one_that_has_ended_has_no_seconds_left_however_it_did(caller: Caller, ending: str) -> None:
    sent = caller.send()
    if ending == "canceled":
        assert caller.cancel(sent.id).data["expires_in"] == 0
    if ending == "verified":
        caller.verify(sent.otp)
    if ending == "failed":
        for _ in range(5):
            caller.verify(wrong(sent.otp))
    if ending == "expired":
        caller.pass_time(timedelta(minutes=4).total_seconds())
    found = caller.get(sent.id).data
    assert (found["status"], found["expires_in"]) == (ending, 0)


def test_one_whose_guesses_are_used_up_still_says_how_long_that_lasts(caller: Caller) -> None:
    sent = caller.send()
    for _ in range(5):
        caller.verify(wrong(sent.otp))
    refused = caller.verify(sent.otp)
    assert refused.code == "too_many_attempts"
    assert 170 <= refused.body["error"]["retry_after"] <= 180
