"""A code is accepted once, five guesses are judged, and nothing is told to who only tries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from otp_service.storage.models.base import engines_of
from tests.conftest import SECRET, MakeApp
from tests.faults.processes import Server, Servers, at_once
from tests.faults.service import PHONE, Caller
from tests.statements import transactions
from tests.storage.helpers import wrong

BUSY = "storage_unavailable"  # 200 at once may be more than a small machine's database takes


@pytest.fixture
def two_processes(database_url: str, make_app: MakeApp) -> Iterator[Server]:
    """On either kind of database, behind one port."""
    make_app(DATABASE_URL=database_url, FALLBACK_DATABASE_URL="off")
    settings = {"DATABASE_URL": database_url, "FALLBACK_DATABASE_URL": "off"}
    with Servers(OTP_SECRET=SECRET, WEB_CONCURRENCY="2", **settings) as servers:
        server = servers.start(LOG_LEVEL="warning")
        yield server
        server.stop()


@pytest.mark.statement(3, 4)
def test_two_hundred_checks_at_once_in_two_processes(two_processes: Server) -> None:
    code = two_processes.send().otp
    right = at_once(200, lambda _: two_processes.verify(code))
    assert right["ok"] == 1
    assert set(right) <= {"ok", "otp_not_found", BUSY}

    code = two_processes.send().otp
    guesses = at_once(200, lambda _: two_processes.verify(wrong(code)))
    assert guesses["invalid_otp"] == 5
    assert set(guesses) <= {"invalid_otp", "too_many_attempts", BUSY}
    assert two_processes.verify(code).code == "too_many_attempts"


@pytest.fixture
def caller(make_app: MakeApp, database_url: str) -> Caller:
    return Caller(make_app(DATABASE_URL=database_url, FALLBACK_DATABASE_URL="off"))


@pytest.mark.statement(9)
def test_used_expired_canceled_and_unknown_are_told_alike_and_take_the_same_steps(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, steps = set(), set()
    asked = transactions(monkeypatch, engines_of(caller.app)[0])

    def check(code: str) -> None:
        asked.clear()
        body = {"phone_number": PHONE, "otp": code}
        response = caller.http.post("/verify-otp", json=body, headers={"X-Request-ID": "same"})
        answers.add((response.status, response.data, str(response.headers)))
        steps.add(tuple(asked))

    check("123456")  # unknown
    used = caller.send().otp
    assert caller.verify(used).code == "ok"
    check(used)
    canceled = caller.send()
    caller.cancel(canceled.id)
    check(canceled.otp)
    expired = caller.send().otp
    caller.pass_time(200)
    check(expired)
    assert len(answers) == len(steps) == 1
    assert b'"otp_not_found"' in next(iter(answers))[1]
