"""Voiding: once it has returned, nothing from before verifies, whoever was checked meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import CodeNotFound, StorageUnavailable
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person, Status
from otp_service.storage import void
from otp_service.storage.db.session import SETTINGS
from otp_service.storage.models.dialects import clock
from otp_service.storage.models.verifications import VerificationRow
from tests.fakes import FakeSender
from tests.faults.waiting import until
from tests.statements import transactions
from tests.storage.conftest import MakeService
from tests.storage.helpers import pass_time, race
from tests.storage.test_races import a_check_of

V = VerificationRow
NOW = timedelta(0)


def void_now(engine: sa.Engine) -> int:
    return void.void(engine, void.moment(engine, NOW))


def refused(service: OtpService, person: Person, code: str, by_id: str | None = None) -> bool:
    try:
        service.verify(person, code, by_id)
    except CodeNotFound:
        return True
    return False


def test_a_code_from_before_is_void_by_phone_and_by_id_and_is_told_as_canceled(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    sent = service.send(person).verification
    assert void_now(engine) == 1
    for by_id in (None, sent.id):
        assert refused(service, person, sender.last_code, by_id)
    found = service.get("public", sent.id)
    assert (found.status, found.attempts) == (Status.CANCELED, 0)
    assert found.canceled_at


def test_the_person_can_ask_again_at_once(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    sent = service.send(person).verification
    void_now(engine)
    assert service.resend(person).verification.id != sent.id
    assert service.verify(person, sender.last_code).status is Status.VERIFIED


def test_what_was_issued_later_stays(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    early, late = (replace(person, purpose=purpose) for purpose in ("early", "late"))
    service.send(early)
    first = sender.last_code
    pass_time(engine, 60)
    service.send(late)
    assert void.void(engine, void.moment(engine, timedelta(seconds=30))) == 1
    assert refused(service, early, first)
    assert service.verify(late, sender.last_code).status is Status.VERIFIED


def test_one_that_began_before_is_void_with_the_codes_that_were_resent_since(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    """The next generation's code is the same as in what was lost, where it may have been used."""
    service.send(person)
    pass_time(engine, 60)
    service.resend(person)
    assert void.void(engine, void.moment(engine, timedelta(seconds=30))) == 1
    assert refused(service, person, sender.last_code)


def test_what_has_ended_stays_as_it_is_and_it_is_safe_to_repeat(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    verified, canceled, expired = (replace(person, purpose=each) for each in ("v", "c", "e"))
    ids = [service.send(expired).verification.id]
    pass_time(engine, 200)
    ids.append(service.send(verified).verification.id)
    service.verify(verified, sender.last_code)
    ids.append(service.send(canceled).verification.id)
    service.cancel("public", ids[-1])
    before = [_end(service, each) for each in ids]
    assert [void_now(engine) for _ in range(2)] == [0, 0]
    assert [_end(service, each) for each in ids] == before


def _end(service: OtpService, verification_id: str) -> tuple[object, ...]:
    found = service.get("public", verification_id)
    return found.status, found.verified_at, found.canceled_at


def test_a_time_that_is_yet_to_come_is_now(engine: sa.Engine) -> None:
    now = void.moment(engine, NOW)
    later = void.moment(engine, now + timedelta(days=1))
    assert now <= later < now + timedelta(hours=1)


def test_many_are_voided_in_batches(
    service: OtpService, person: Person, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.send(person)
    with engine.begin() as connection:
        first = connection.execute(sa.select(*V.__table__.c)).one()._asdict()
        copies = [
            first | {"id": f"{first['id'][:20]}{n:05}", "phone": f"+1{n}"} for n in range(1299)
        ]
        connection.execute(sa.insert(V), copies)
    batches = transactions(monkeypatch, engine)
    assert void_now(engine) == 1300
    assert max(rows for _, rows in batches) == void.BATCH


@pytest.mark.statement(3)
def test_of_two_hundred_right_codes_that_race_with_it_each_is_accepted_or_void(
    service: OtpService,
    person: Person,
    sender: FakeSender,
    engine: sa.Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(void, "SECONDS", 0)  # no send is under way
    for turn in range(20):
        checks: list[Callable[[], object]] = []
        for number in range(10):
            who = replace(person, phone=f"+91987{turn:03}{number:04}")
            sent = service.send(who).verification
            by_id = sent.id if number % 2 else None
            checks.append(partial(service.verify, who, sender.last_code, by_id))
        voided = list[int]()
        outcomes = race(*checks[:5], partial(_void_now, engine, voided), *checks[5:])
        accepted = outcomes["ok"] - 1  # the voiding's own
        assert outcomes["otp_not_found"] == voided[0] == 10 - accepted
        assert race(*checks) == {"otp_not_found": 10}


def _void_now(engine: sa.Engine, voided: list[int]) -> None:
    voided.append(void_now(engine))


@pytest.mark.statement(23)
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_it_waits_for_a_check_and_holds_up_no_other(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    other = replace(person, phone="+14155552671")
    checked, free = [service.send(each).verification for each in (person, other)]
    moment = void.moment(engine, NOW)
    with ThreadPoolExecutor(1) as pool:
        with a_check_of(person.phone, engine):
            voiding = pool.submit(void.void, engine, moment)
            until(lambda: service.get("public", free.id).status is Status.CANCELED)
            assert refused(service, other, sender.last_code)  # at once: no lock is kept
            assert service.get("public", checked.id).status is Status.PENDING
        assert voiding.result() == 2


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_where_a_lock_is_never_given_back_it_fails_rather_than_leave_one(
    service: OtpService, person: Person, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.send(person)
    monkeypatch.setattr(void._VOID_ONE, "_seconds", 0.5)
    with a_check_of(person.phone, engine), pytest.raises(StorageUnavailable):
        void_now(engine)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_send_that_is_under_way_when_it_begins_is_void_too(
    make_service: MakeService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    service = make_service()
    with ThreadPoolExecutor(1) as pool:
        with engine.execution_options(isolation_level="READ COMMITTED").begin() as sending:
            sending.execute(_issued(person))
            moment = void.moment(engine, NOW)
            voiding = pool.submit(void.void, engine, moment)
            time.sleep(0.5)  # its first look is over
        assert voiding.result() == 1
    assert service.get("public", "p0").status is Status.CANCELED


def _issued(person: Person, name: str = "p0") -> sa.Insert:
    """A verification's row, as a send writes it."""
    numbers = dict.fromkeys(("generation", "oldest_generation", "max_attempts"), 1)
    row = {"id": name, "channel": "whatsapp", "status": "pending", "attempts": 0} | vars(person)
    times = {"created_at": clock(), "expires_at": sa.func.from_now(180)}
    return sa.insert(V).values(**row, **numbers, **times)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_each_of_a_batch_is_found_by_its_id_however_many_are_live(
    person: Person, engine: sa.Engine
) -> None:
    """Of 20,000 a batch walked along all for each of 500: it took longer than it may."""
    with engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
        for number in range(2 * void.BATCH):
            connection.execute(_issued(person, f"p{number}"))
        connection.exec_driver_sql(f"ANALYZE {V.__table__}")
    (sql,) = void._VOID_FREE._on_server.explainable(engine.dialect)
    with engine.connect() as connection:
        for setting, value in SETTINGS.items():
            connection.exec_driver_sql(f"SET {setting} = {value!r}")
        connection.exec_driver_sql(f"PREPARE a_batch(timestamptz) AS {sql}")
        plan = "\n".join(connection.execute(sa.text("EXPLAIN EXECUTE a_batch(now())")).scalars())
        connection.invalidate()
    assert "Index Scan using pk_verifications" in plan
    assert "Join Filter" not in plan
