"""Sends that look like toll fraud: told, and refused where that is asked for."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import DestinationNotAllowed
from otp_service.domain.limits import Guard, Limit, Limits, Pumping
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person
from otp_service.storage.models.dialects import clock, from_now
from otp_service.storage.models.verifications import VerificationRow
from tests.fakes import FakeSender
from tests.storage.conftest import MakeService
from tests.storage.helpers import pass_time, race

OBSERVED = Limits()
ENFORCED = replace(Limits(), pumping=Pumping(guard=Guard.ENFORCE))
OFF = replace(Limits(), pumping=Pumping(guard=Guard.OFF))


def neighbour(number: int) -> Person:
    """One of those whose numbers differ in the last four digits."""
    return Person("public", f"+91987654{number:04}", "login")


def send_all(service: OtpService, numbers: range) -> None:
    for number in numbers:
        service.send(neighbour(number))


def told(service: OtpService) -> list[tuple[str, str]]:
    """What the service tells of pumping from now on."""
    heard: list[tuple[str, str]] = []
    sending = replace(
        service._sending, suspected=lambda rule, country: heard.append((rule, country))
    )
    service._sending = sending
    return heard


class TestOfAPrefix:
    def test_the_eleventh_number_in_ten_minutes_is_told_and_sent_to(
        self, make_service: MakeService, sender: FakeSender
    ) -> None:
        service = make_service(limits=OBSERVED)
        heard = told(service)
        send_all(service, range(10))
        assert heard == []
        send_all(service, range(10, 11))
        assert heard == [("prefix_numbers", "IN")]
        assert len(sender.messages) == 11

    def test_where_the_guard_enforces_it_is_refused_and_nothing_is_stored(
        self, make_service: MakeService, sender: FakeSender, engine: sa.Engine
    ) -> None:
        service = make_service(limits=ENFORCED)
        heard = told(service)
        send_all(service, range(10))
        with pytest.raises(DestinationNotAllowed) as caught:
            service.send(neighbour(10))
        assert caught.value.details["reason"] == "unusual_traffic"
        assert heard == [("prefix_numbers", "IN")]
        with engine.connect() as connection:
            stored = connection.scalar(sa.select(sa.func.count()).select_from(VerificationRow))
        assert stored == len(sender.messages) == 10

    def test_those_who_were_verified_before_go_on(
        self, make_service: MakeService, sender: FakeSender, engine: sa.Engine
    ) -> None:
        service = make_service(limits=ENFORCED)
        service.send(neighbour(77))
        service.verify(neighbour(77), sender.last_code)
        pass_time(engine, 601)
        send_all(service, range(10))
        heard = told(service)
        assert service.send(neighbour(77))
        assert heard == []

    def test_it_ends_by_itself_and_leaves_other_prefixes_alone(
        self, make_service: MakeService, engine: sa.Engine
    ) -> None:
        service = make_service(limits=ENFORCED)
        send_all(service, range(10))
        assert service.send(Person("public", "+919876530000", "login"))
        pass_time(engine, 601)
        assert service.send(neighbour(10))

    def test_racing_sends_never_overrun_it(
        self, make_service: MakeService, sender: FakeSender
    ) -> None:
        service = make_service(limits=ENFORCED)
        outcomes = race(*[partial(service.send, neighbour(number)) for number in range(20)])
        assert outcomes == {"ok": 10, "destination_not_allowed": 10}
        assert len(sender.messages) == 10

    def test_without_the_guard_nothing_is_told(self, make_service: MakeService) -> None:
        service = make_service(limits=OFF)
        heard = told(service)
        send_all(service, range(12))
        assert heard == []

    def test_a_limit_that_the_person_can_wait_for_is_told_first(
        self, make_service: MakeService, person: Person
    ) -> None:
        rules = Pumping(guard=Guard.ENFORCE, numbers=Limit("prefix_numbers", 1, 600))
        service = make_service(limits=replace(Limits(), pumping=rules))
        for _ in range(5):
            service.resend(person)
        outcome = race(lambda: service.resend(person))
        assert outcome == {"send_limit_exceeded": 1}


def add_past(engine: sa.Engine, country: str, status: str, times: int, **values: Any) -> None:
    """Verifications an hour ago."""
    row = {
        "client": "public",
        "phone": "+919000000000",
        "purpose": "login",
        "channel": "whatsapp",
        "status": status,
        "generation": 1,
        "oldest_generation": 1,
        "attempts": 1,
        "max_attempts": 5,
        "created_at": from_now(-3_600),
        "expires_at": from_now(-3_420),
        "country": country,
    }
    with engine.begin() as connection:
        for number in range(times):
            ids = {"id": f"{country}{status}{number}".lower()}
            connection.execute(sa.insert(VerificationRow).values(row | ids | values))


class TestOfACountry:
    def refused(self, service: OtpService, person: Person) -> bool:
        return race(lambda: service.send(person)) == {"destination_not_allowed": 1}

    @pytest.mark.parametrize(("verified", "is_refused"), [(9, True), (10, False)])
    def test_it_is_blocked_when_less_than_a_fifth_of_fifty_were_verified(
        self,
        verified: int,
        is_refused: bool,
        make_service: MakeService,
        person: Person,
        engine: sa.Engine,
    ) -> None:
        add_past(engine, "IN", "verified", verified)
        add_past(engine, "IN", "expired", 50 - verified)
        service = make_service(limits=ENFORCED)
        heard = told(service)
        assert self.refused(service, person) == is_refused
        assert heard == [("conversion", "IN")] * is_refused

    def test_forty_nine_are_too_few_to_tell(
        self, make_service: MakeService, person: Person, engine: sa.Engine
    ) -> None:
        add_past(engine, "IN", "expired", 49)
        assert not self.refused(make_service(limits=ENFORCED), person)

    def test_what_may_yet_be_verified_does_not_count(
        self, make_service: MakeService, person: Person, engine: sa.Engine
    ) -> None:
        add_past(engine, "IN", "pending", 50, created_at=clock(), expires_at=from_now(180))
        assert not self.refused(make_service(limits=ENFORCED), person)

    def test_messages_that_were_refused_do_not_count(
        self, make_service: MakeService, person: Person, engine: sa.Engine
    ) -> None:
        add_past(engine, "IN", "failed", 50, attempts=0)
        assert not self.refused(make_service(limits=ENFORCED), person)

    def test_what_is_older_than_a_day_and_other_countries_do_not_count(
        self, make_service: MakeService, person: Person, engine: sa.Engine
    ) -> None:
        add_past(engine, "IN", "expired", 50, created_at=from_now(-86_500))
        add_past(engine, "US", "expired", 50)
        service = make_service(limits=ENFORCED)
        assert not self.refused(service, person)
        assert self.refused(service, Person("public", "+14155552671", "login"))

    def test_it_is_told_only_where_the_guard_observes(
        self, make_service: MakeService, person: Person, engine: sa.Engine
    ) -> None:
        add_past(engine, "IN", "expired", 50)
        service = make_service(limits=OBSERVED)
        heard = told(service)
        assert not self.refused(service, person)
        assert heard == [("conversion", "IN")]

    def test_the_newest_fifty_decide(
        self, make_service: MakeService, person: Person, engine: sa.Engine
    ) -> None:
        add_past(engine, "IN", "expired", 50, created_at=from_now(-7_200))
        add_past(engine, "IN", "verified", 10)
        assert not self.refused(make_service(limits=ENFORCED), person)
