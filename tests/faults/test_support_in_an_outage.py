"""The support desk's commands while Postgres is away: what can be reached is told and unlocked."""

from __future__ import annotations

import pytest

from tests.faults.proxy import Proxy
from tests.faults.service import PHONE, Caller
from tests.faults.waiting import until

pytestmark = pytest.mark.usefixtures("patient")


def run(caller: Caller, *args: str) -> str:
    result = caller.app.test_cli_runner().invoke(args=["otp", *args])
    assert result.exit_code == 0, result.output
    return result.output


def test_why_unlock_and_audit_say_what_they_could_not_look_at(caller: Caller, proxy: Proxy) -> None:
    proxy.refuse()
    for _ in range(6):
        caller.resend()
    told = run(caller, "why", PHONE)
    assert "database: can't be reached" in told
    assert "fallback: BLOCKED" in told

    told = run(caller, "unlock", PHONE)
    assert "The database can't be reached: nothing is unlocked there." in told
    assert "is unlocked (fallback)." in told
    assert caller.resend().code == "ok"

    told = run(caller, "audit", "--phone", PHONE)
    assert "The database can't be reached: its entries are missing here." in told
    assert "phone.unlocked" in told


def test_afterwards_the_entries_of_both_homes_are_one_trail(caller: Caller, proxy: Proxy) -> None:
    first = caller.send()
    proxy.refuse()
    caller.send("+14155552671")
    proxy.heal()
    until(lambda: caller.cancel(first.id).code == "ok")
    _, *lines = run(caller, "audit").splitlines()
    actions = [line.split()[2].partition(".")[2] for line in lines]
    assert actions == ["started", "started", "canceled"]


def test_where_nothing_can_be_reached_it_is_an_error(caller: Caller, proxy: Proxy) -> None:
    proxy.refuse()
    with caller.app.app_context():
        result = caller.app.test_cli_runner().invoke(args=["otp", "keys", "list"])
    assert result.exit_code == 1
    assert "can't be reached" in result.output
