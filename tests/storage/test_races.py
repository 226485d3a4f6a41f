"""What many requests at one moment may never achieve."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest
import sqlalchemy as sa

from otp_service.domain.limits import Limit, Limits
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person, Status
from otp_service.storage import retention
from otp_service.storage.models.dialects import clock
from otp_service.storage.models.verifications import AttemptRow, VerificationRow
from tests.fakes import FakeSender
from tests.faults.waiting import until
from tests.storage.conftest import MakeService
from tests.storage.helpers import pass_time, race, wait_for_lock, wrong

# Room for five live verifications, each with all of its guesses.
MANY_LIVE = replace(
    Limits(),
    live_verifications=Limit("live_verifications", 20, 0),
    phone_failures=(Limit("phone_failures", 100, 3_600),),
)
_NUMBERS = ("generation", "oldest_generation", "attempts", "max_attempts")
pytestmark = pytest.mark.usefixtures("patient")


@pytest.mark.statement(3)
def test_racing_right_codes_verify_exactly_once(
    service: OtpService, person: Person, sender: FakeSender
) -> None:
    service.send(person)
    outcomes = race(*[lambda: service.verify(person, sender.last_code)] * 20)
    assert outcomes == {"ok": 1, "otp_not_found": 19}


@pytest.mark.statement(4)
def test_of_racing_wrong_codes_exactly_five_are_judged(
    service: OtpService, person: Person, sender: FakeSender
) -> None:
    service.send(person)
    outcomes = race(*[lambda: service.verify(person, wrong(sender.last_code))] * 20)
    assert outcomes == {"invalid_otp": 5, "too_many_attempts": 15}
    assert race(lambda: service.verify(person, sender.last_code)) == {"too_many_attempts": 1}


def test_racing_sends_make_one_live_verification(
    service: OtpService, person: Person, sender: FakeSender
) -> None:
    outcomes = race(*[lambda: service.send(person)] * 20)
    assert outcomes == {"ok": 1, "otp_already_sent": 19}
    assert len(sender.messages) == 1


def test_racing_sends_for_several_purposes_never_overrun_the_phones_limit(
    make_service: MakeService, person: Person, sender: FakeSender
) -> None:
    people = [replace(person, purpose=f"purpose-{number}") for number in range(20)]
    service = make_service(limits=MANY_LIVE)
    outcomes = race(*[lambda p=p: service.send(p) for p in people])
    assert outcomes == {"ok": 5, "send_limit_exceeded": 15}
    assert len(sender.messages) == 5


def test_racing_sends_for_several_purposes_never_make_more_than_three_live_verifications(
    service: OtpService, person: Person, sender: FakeSender
) -> None:
    people = [replace(person, purpose=f"purpose-{number}") for number in range(20)]
    outcomes = race(*[lambda p=p: service.send(p) for p in people])
    assert outcomes == {"ok": 3, "send_limit_exceeded": 17}
    assert len(sender.messages) == 3


def test_racing_resends_make_one_generation_each_and_never_overrun_the_limit(
    service: OtpService, person: Person, sender: FakeSender
) -> None:
    sent = service.send(person)
    outcomes = race(*[lambda: service.resend(person)] * 3)
    assert outcomes["ok"] + outcomes["storage_unavailable"] == 3
    deliveries = service.get("public", sent.verification.id).deliveries
    generations = [delivery.generation for delivery in deliveries]
    assert sorted(generations) == list(range(1, len(generations) + 1))
    outcomes = race(*[lambda: service.resend(person)] * 20)
    assert len(sender.messages) <= 5


def test_racing_wrong_codes_over_several_purposes_never_overrun_the_phones_limit(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    people = [replace(person, purpose=f"purpose-{number}") for number in range(3)]
    for each in people:
        service.send(each)
    codes = {message.code for message in sender.messages}
    guess = next(f"{n:06}" for n in range(10) if f"{n:06}" not in codes)
    outcomes = race(*[lambda p=p: service.verify(p, guess) for p in people * 7])
    assert outcomes["invalid_otp"] == 10
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(AttemptRow)) == 10


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_send_that_waited_for_its_turn_is_newer_than_what_was_done_meanwhile(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    lock = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:phone, 0))")
    with ThreadPoolExecutor(1) as pool:
        with engine.execution_options(isolation_level="READ COMMITTED").begin() as holder:
            holder.execute(lock, {"phone": person.phone})
            waiting = pool.submit(service.send, person)  # its transaction begins, and waits
            until(lambda: wait_for_lock(engine) == 1)
            ended = {"id": "p0", "channel": "whatsapp", "status": "canceled"} | vars(person)
            times = {"created_at": clock(), "expires_at": clock()}
            row = ended | dict.fromkeys(_NUMBERS, 1) | times
            holder.execute(sa.insert(VerificationRow).values(**row))
        waiting.result()
    assert service.verify(person, sender.last_code).status is Status.VERIFIED


@pytest.mark.statement(23)
def test_a_cancel_racing_a_right_code_leaves_one_winner(
    make_service: MakeService, person: Person, sender: FakeSender
) -> None:
    service = make_service(limits=MANY_LIVE)
    for turn in range(40):
        sent = service.send(replace(person, phone=f"+9198765432{turn:02}")).verification
        code, who = sender.last_code, replace(person, phone=sent.phone)
        outcomes = race(
            partial(service.verify, who, code), partial(service.cancel, "public", sent.id)
        )
        verified = service.get("public", sent.id).status is Status.VERIFIED
        assert outcomes["ok"] == (2 if verified else 1)


@contextmanager
def a_check_of(phone: str, engine: sa.Engine) -> Iterator[None]:
    """That goes on: its transaction has the phone's lock."""
    lock = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:phone, 0))")
    with engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
        connection.execute(lock, {"phone": phone})
        yield


@pytest.mark.statement(23)
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_cancel_waits_for_a_check_of_the_phone(
    service: OtpService, person: Person, engine: sa.Engine
) -> None:
    sent = service.send(person).verification
    with ThreadPoolExecutor(1) as pool:
        with a_check_of(person.phone, engine):
            cancel = pool.submit(service.cancel, "public", sent.id)
            until(lambda: wait_for_lock(engine) == 1)
            assert not cancel.done()
        assert cancel.result().status is Status.CANCELED


@pytest.mark.statement(23)
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_the_expiry_leaves_out_whose_phone_is_being_checked(
    service: OtpService, person: Person, engine: sa.Engine
) -> None:
    for phone in (person.phone, "+14155552671"):
        service.send(replace(person, phone=phone))
    pass_time(engine, 200)
    with a_check_of(person.phone, engine):
        assert retention.cleanup(engine, days=30) == (1, 0)
    assert retention.cleanup(engine, days=30) == (1, 0)


@pytest.mark.statement(23)
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_code_that_ended_while_its_check_waited_is_not_accepted(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    service.send(person)
    with ThreadPoolExecutor(1) as pool:
        with a_check_of(person.phone, engine):
            check = pool.submit(race, lambda: service.verify(person, sender.last_code))
            until(lambda: wait_for_lock(engine) == 1)
            with engine.begin() as connection:  # after the check began, before it has its turn
                ends = {"expires_at": clock()}
                connection.execute(sa.update(VerificationRow).values(**ends))
        assert check.result() == {"otp_not_found": 1}
