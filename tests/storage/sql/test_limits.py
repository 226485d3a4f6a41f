"""Limits on messages, guesses and requests: each decided where it is counted."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from otp_service.domain.drafts import SendOptions
from otp_service.domain.errors import (
    DeliveryFailed,
    PhoneLocked,
    SendLimitExceeded,
)
from otp_service.domain.limits import Limit, Limits, limits
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person
from otp_service.storage import phones
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.sql.limits import (
    messages_of_address,
    messages_to_phone,
    refusals_of_client,
    refusals_to_phone,
    wrong_guesses,
)
from tests.fakes import FakeSender
from tests.storage.conftest import MakeService
from tests.storage.helpers import fail, pass_time, race

HOME = SendOptions(address="203.0.113.7")
MANY = Limits(
    phone_sends=(Limit("phone_sends", 1_000, 600),),
    phone_failures=(Limit("phone_failures", 1_000, 3_600),),
)


def phone(number: int) -> Person:
    return Person("public", f"+9198765{number:05}", "login")


def test_whatever_has_windows_is_counted_by_a_statement() -> None:
    names = [each.name for each in fields(Limits) if each.type == "tuple[Limit, ...]"]
    each_set: dict[str, Any] = {name: limits(name, (1, 60)) for name in names}
    found = replace(MANY, **each_set)
    sends = [*messages_to_phone(found).limits, *messages_of_address(found).limits]
    assert sends == list(found.sends)
    others = (refusals_to_phone, refusals_of_client, wrong_guesses)
    rest = [limit for events in others for limit in events(found).limits]
    assert {limit.name for limit in [*sends, *rest]} == {*names}


class TestOfAnAddress:
    LIMITS = replace(MANY, address_sends=(Limit("address_sends", 3, 600),))

    def test_its_limit_counts_messages_to_whatever_phone(
        self, make_service: MakeService, engine: sa.Engine
    ) -> None:
        service = make_service(limits=self.LIMITS)
        for number in range(3):
            service.send(phone(number), HOME)
        with pytest.raises(SendLimitExceeded) as caught:
            service.send(phone(3), HOME)
        assert caught.value.details["limit"] == "address_sends"
        assert caught.value.retry_after == pytest.approx(600, abs=5)
        assert service.send(phone(3), SendOptions(address="203.0.113.8"))
        assert service.send(phone(4))
        pass_time(engine, 601)
        assert service.send(phone(5), HOME)

    def test_it_is_one_user_on_all_of_its_ipv6_network(self, make_service: MakeService) -> None:
        service = make_service(limits=self.LIMITS)
        for number in range(3):
            service.send(phone(number), SendOptions(address=f"2001:db8::{number + 1}"))
        with pytest.raises(SendLimitExceeded):
            service.send(phone(3), SendOptions(address="2001:db8::ffff"))
        assert service.send(phone(3), SendOptions(address="2001:db8:0:1::1"))

    def test_what_was_refused_does_not_count(
        self, make_service: MakeService, sender: FakeSender
    ) -> None:
        service, sender.failure = make_service(limits=self.LIMITS), DeliveryFailed("no")
        for number in range(5):
            with pytest.raises(DeliveryFailed):
                service.send(phone(number), HOME)
        sender.failure = None
        assert service.send(phone(9), HOME)

    def test_racing_sends_never_overrun_it(
        self, make_service: MakeService, sender: FakeSender
    ) -> None:
        service = make_service(limits=self.LIMITS)
        far_apart = [phone(5_000 * number) for number in range(20)]  # no two of one prefix
        outcomes = race(*[partial(service.send, each, HOME) for each in far_apart])
        assert outcomes == {"ok": 3, "send_limit_exceeded": 17}
        assert len(sender.messages) == 3

    def test_it_is_stored_as_a_pseudonym_only(
        self, make_service: MakeService, engine: sa.Engine
    ) -> None:
        make_service(limits=self.LIMITS).send(phone(1), HOME)
        with engine.connect() as connection:
            stored = connection.scalar(sa.select(DeliveryRow.address))
        assert stored
        assert len(stored) == 64
        assert "203" not in stored[:3]

    def test_a_test_number_is_not_counted(self, make_service: MakeService) -> None:
        service = make_service(limits=self.LIMITS)
        for _ in range(5):
            service.resend(Person("public", "+1234567890", "login"), HOME)
        assert service.send(phone(1), HOME)


class TestOfAPurpose:
    def test_its_limit_counts_beside_the_phones(
        self, make_service: MakeService, person: Person
    ) -> None:
        limits = replace(MANY, purpose_sends=(Limit("purpose_sends", 2, 600),))
        service = make_service(limits=limits)
        assert service.resend(person).quota.remaining == 1
        assert service.resend(person).quota.remaining == 0
        with pytest.raises(SendLimitExceeded) as caught:
            service.resend(person)
        assert caught.value.details["limit"] == "purpose_sends"
        assert service.resend(replace(person, purpose="payment"))

    def test_after_a_message_there_is_a_pause_where_one_is_wanted(
        self, make_service: MakeService, person: Person, engine: sa.Engine
    ) -> None:
        limits = replace(Limits(), cooldown=(Limit("resend_cooldown", 1, 30),))
        service = make_service(limits=limits)
        quota = service.send(person).quota
        assert (quota.remaining, quota.retry_after) == (4, 30)
        with pytest.raises(SendLimitExceeded) as caught:
            service.resend(person)
        assert caught.value.details["limit"] == "resend_cooldown"
        pass_time(engine, 31)
        assert service.resend(person).quota.remaining == 3

    def test_a_refused_message_makes_nobody_wait(
        self, make_service: MakeService, person: Person, sender: FakeSender
    ) -> None:
        limits = replace(Limits(), cooldown=(Limit("resend_cooldown", 1, 30),))
        service, sender.failure = make_service(limits=limits), DeliveryFailed("no")
        with pytest.raises(DeliveryFailed):
            service.send(person)
        sender.failure = None
        assert service.send(person)


class TestUnlocking:
    def test_what_was_sent_and_guessed_before_counts_no_more(
        self, service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
    ) -> None:
        for purpose in ("one", "two"):
            another = replace(person, purpose=purpose)
            service.send(another)
            fail(service, another, sender.last_code, 5)
        for _ in range(3):
            service.resend(person)
        with pytest.raises(PhoneLocked):
            service.verify(person, sender.last_code)
        with pytest.raises(SendLimitExceeded):
            service.resend(person)
        phones.unlock(engine, person.phone)
        assert service.verify(person, sender.last_code)
        assert service.send(person).quota.remaining == 4

    def test_limits_count_again_from_then_on(
        self, service: OtpService, person: Person, engine: sa.Engine
    ) -> None:
        phones.unlock(engine, person.phone)
        for left in (4, 3, 2, 1, 0):
            assert service.resend(person).quota.remaining == left
        with pytest.raises(SendLimitExceeded):
            service.resend(person)

    def test_another_phone_is_not_unlocked(
        self, service: OtpService, person: Person, engine: sa.Engine
    ) -> None:
        for _ in range(5):
            service.resend(person)
        phones.unlock(engine, phone(1).phone)
        with pytest.raises(SendLimitExceeded):
            service.resend(person)
