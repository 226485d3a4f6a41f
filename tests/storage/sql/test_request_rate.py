"""How often a client may call: in any window no more than its limit allows."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import RequestLimitExceeded
from otp_service.domain.limits import Limit, Limits
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person
from otp_service.storage.models.limits import RequestSlotRow
from tests.fakes import FakeSender
from tests.storage.conftest import MakeService
from tests.storage.helpers import fail, pass_time, race, wrong

MANY = Limits(
    phone_sends=(Limit("phone_sends", 1_000, 600),),
    phone_failures=(Limit("phone_failures", 1_000, 3_600),),
)
LIMITS = replace(MANY, client_requests=Limit("client_requests", 3, 10))


LIMITS = replace(MANY, client_requests=Limit("client_requests", 3, 10))


def phone(number: int) -> Person:
    return Person("public", f"+9198765{number:05}", "login")


def outcome(service: OtpService, person: Person) -> str:
    return race(lambda: service.resend(person)).popitem()[0]


def test_every_kind_of_request_counts_and_a_refused_one_does_nothing(
    make_service: MakeService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    service = make_service(limits=LIMITS)
    sent = service.send(person).verification
    fail(service, person, sender.last_code, 1)
    assert service.get("public", sent.id).attempts == 1
    for act in (
        partial(service.verify, person, sender.last_code),
        partial(service.verify, person, wrong(sender.last_code)),
        partial(service.send, phone(1)),
        partial(service.resend, person),
        partial(service.get, "public", sent.id),
        partial(service.cancel, "public", sent.id),
    ):
        with pytest.raises(RequestLimitExceeded) as caught:
            act()
        assert caught.value.details["limit"] == "client_requests"
        assert caught.value.retry_after in (9, 10)
    assert len(sender.messages) == 1
    pass_time(engine, 11)
    assert service.get("public", sent.id).attempts == 1
    assert service.verify(person, sender.last_code)
    assert service.send(phone(1)).verification.generation == 1


def test_no_window_holds_more_wherever_it_begins(
    make_service: MakeService, person: Person, engine: sa.Engine
) -> None:
    service = make_service(limits=LIMITS)
    service.send(person)
    pass_time(engine, 9)
    assert [outcome(service, person) for _ in range(2)] == ["ok", "ok"]
    pass_time(engine, 2)  # the first one has left, the others have not
    assert [outcome(service, person) for _ in range(2)] == ["ok", "rate_limit_exceeded"]


def test_what_was_refused_makes_nobody_wait_longer(
    make_service: MakeService, person: Person, engine: sa.Engine
) -> None:
    service = make_service(limits=LIMITS)
    for _ in range(6):
        outcome(service, person)
    pass_time(engine, 11)
    assert outcome(service, person) == "ok"


def test_each_window_begins_anew(
    make_service: MakeService, person: Person, engine: sa.Engine
) -> None:
    service = make_service(limits=LIMITS)
    service.send(person)
    for _ in range(2):
        pass_time(engine, 11)
        outcomes = [outcome(service, person) for _ in range(4)]
        assert outcomes == ["ok", "ok", "ok", "rate_limit_exceeded"]


def test_other_clients_go_on(make_service: MakeService, person: Person) -> None:
    service = make_service(limits=LIMITS)
    race(*[lambda: service.resend(person)] * 5)
    assert service.send(replace(person, client="other"))


def test_of_racing_requests_exactly_as_many_as_allowed_are_done(
    make_service: MakeService, sender: FakeSender
) -> None:
    service = make_service(limits=LIMITS)
    outcomes = race(*[partial(service.send, phone(number)) for number in range(20)])
    assert outcomes == {"ok": 3, "rate_limit_exceeded": 17}
    assert len(sender.messages) == 3


def test_of_racing_requests_none_takes_a_place_that_another_one_takes(
    make_service: MakeService, sender: FakeSender, engine: sa.Engine
) -> None:
    service = make_service(limits=LIMITS)
    race(*[partial(service.send, phone(number)) for number in range(3)])
    pass_time(engine, 11)  # the places are there, and free
    outcomes = race(*[partial(service.send, phone(number)) for number in range(10, 30)])
    assert outcomes == {"ok": 3, "rate_limit_exceeded": 17}


def test_nobody_is_let_in_before_the_window_is_over_and_each_is_told_when_that_is(
    make_service: MakeService, person: Person, engine: sa.Engine
) -> None:
    service = make_service(limits=LIMITS)
    for seconds in (4, 3, 1):
        outcome(service, person)
        pass_time(engine, seconds)  # the first one is eight seconds old in the end
    with pytest.raises(RequestLimitExceeded) as caught:
        service.resend(person)
    assert caught.value.retry_after in (1, 2)
    pass_time(engine, 2)
    assert [outcome(service, person) for _ in range(2)] == ["ok", "rate_limit_exceeded"]


def test_a_lower_limit_leaves_no_more_than_it_allows(
    make_service: MakeService, person: Person, engine: sa.Engine
) -> None:
    before = make_service(limits=LIMITS)
    for _ in range(3):
        before.resend(person)
    pass_time(engine, 11)
    lower = replace(MANY, client_requests=Limit("client_requests", 2, 10))
    after = make_service(limits=lower)
    assert [outcome(after, person) for _ in range(3)] == ["ok", "ok", "rate_limit_exceeded"]


def test_a_request_does_not_wait_for_another_one_of_its_client(
    make_service: MakeService, person: Person, engine: sa.Engine
) -> None:
    """SQLite has one writer at a time anyway."""
    if engine.dialect.name == "sqlite":
        return
    service = make_service(limits=LIMITS)
    for _ in range(2):
        service.resend(person)
    pass_time(engine, 11)
    engine = engine.execution_options(isolation_level="READ COMMITTED")  # it begins, and commits
    with engine.begin() as other:
        taken = sa.select(RequestSlotRow).where(RequestSlotRow.number == 1).with_for_update()
        assert other.execute(taken).all()
        assert outcome(service, person) == "ok"
