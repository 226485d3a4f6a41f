"""Wrong guesses of a phone: given out when a verification is issued, and never too many."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import OtpError, PhoneLocked, TooManyAttempts
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person, Verification
from otp_service.storage.models.verifications import AttemptRow
from tests.fakes import FakeSender
from tests.storage.helpers import fail, pass_time
from tests.storage.sql.guesser import DAY, HOUR, TEST_NUMBER, Guesser


@pytest.mark.statement(5)
class TestInAnHour:
    def test_a_check_by_phone_alone_is_locked_after_ten_whatever_they_were_made_at(
        self, service: OtpService, person: Person, sender: FakeSender
    ) -> None:
        service.send(person)
        fail(service, person, sender.last_code, 3)
        service.resend(person)
        fail(service, person, sender.last_code, 2)
        other = replace(person, client="other", purpose="payment")
        service.send(other)
        fail(service, other, sender.last_code, 4)
        third = replace(person, purpose="third")
        service.send(third)
        fail(service, third, sender.last_code, 1)
        with pytest.raises(PhoneLocked) as caught:
            service.verify(third, sender.last_code)
        assert caught.value.details["limit"] == "phone_failures"
        assert caught.value.details["allowed"] == 10

    def test_after_fifteen_nothing_is_begun_or_sent_until_the_hour_has_passed(
        self, guesser: Guesser, sender: FakeSender, engine: sa.Engine
    ) -> None:
        guesser.use_up(15)
        messages = len(sender.messages)
        refusal = guesser.refusal()
        assert (refusal.details["limit"], refusal.details["allowed"]) == ("phone_failures", 10)
        assert refusal.retry_after == pytest.approx(HOUR, abs=60)
        guesser.refusal("another-purpose")
        assert len(sender.messages) == messages
        pass_time(engine, HOUR + 1)
        assert guesser.begin().max_attempts == 5

    def test_ids_that_were_begun_before_give_no_guess_more(self, guesser: Guesser) -> None:
        before = [
            guesser.begin(purpose, client)
            for purpose, client in (("one", "public"), ("two", "public"), ("one", "another"))
        ]
        for each in before:
            guesser.guess(each, 5)
        guesser.refusal()

    def test_the_last_verification_gets_what_is_left(
        self, guesser: Guesser, person: Person, sender: FakeSender
    ) -> None:
        guesser.use_up(12)
        last = guesser.begin()
        assert last.attempts_remaining == 3
        guesser.guess(last, 3)
        with pytest.raises(TooManyAttempts):
            guesser.service.verify(person, sender.last_code, last.id)

    def test_what_is_out_on_a_live_verification_counts_until_it_ends(
        self, guesser: Guesser
    ) -> None:
        waits = guesser.begin("waits")
        guesser.use_up(10)
        refusal = guesser.refusal()
        assert refusal.retry_after == pytest.approx(180, abs=30), "then the live one gives back"
        guesser.service.cancel("public", waits.id)
        assert guesser.begin().max_attempts == 5

    def test_a_test_number_with_a_fixed_code_has_no_more(self, guesser: Guesser) -> None:
        guesser.person = replace(guesser.person, phone=TEST_NUMBER)
        for number in range(3):
            guesser.guess(guesser.begin(f"purpose-{number}"), 5)
        guesser.refusal()

    def test_a_test_number_may_be_asked_for_by_many_at_once(self, guesser: Guesser) -> None:
        guesser.person = replace(guesser.person, phone=TEST_NUMBER)
        live = [guesser.begin(f"purpose-{number}") for number in range(6)]
        for each in live[:3]:
            guesser.guess(each, 5)
        person = replace(guesser.person, purpose=live[3].purpose)
        with pytest.raises(PhoneLocked):
            guesser.service.verify(person, "0000000000", live[3].id)
        guesser.refusal()

    def test_a_resend_gives_none_back(self, guesser: Guesser, person: Person) -> None:
        guesser.guess(guesser.begin(), 4)
        again = guesser.service.resend(person).verification
        assert again.attempts_remaining == 1


@pytest.mark.statement(5)
def test_in_a_day_there_are_thirty(guesser: Guesser, engine: sa.Engine) -> None:
    for _ in range(2):
        guesser.use_up(15)
        pass_time(engine, HOUR + 1)
    refusal = guesser.refusal()
    assert refusal.details["allowed"] == 30
    pass_time(engine, DAY - 2 * HOUR)
    assert guesser.begin().max_attempts == 5


@pytest.mark.statement(5)
@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_tried_no_hour_has_more_than_fifteen_and_no_day_more_than_thirty(
    seed: int, guesser: Guesser, engine: sa.Engine
) -> None:
    chance = random.Random(seed)
    begun: list[Verification] = []
    for _ in range(150):
        act = chance.random()
        try:
            if act < 0.3:
                purpose, client = chance.choice("abcd"), chance.choice(["public", "other"])
                begun.append(guesser.begin(purpose, client))
            elif act < 0.9 and begun:
                at = chance.choice(begun[-4:])
                person = replace(guesser.person, purpose=at.purpose, client=at.client)
                guesser.service.verify(person, "0000000000", chance.choice([at.id, None]))
            else:
                pass_time(engine, chance.choice([20, 200, 2_000]))
        except OtpError:
            pass
    judged = sorted(_times(engine))
    assert len(judged) > 20, "nothing was tried"
    for most, span in ((15, HOUR), (30, DAY)):
        for first, last in zip(judged, judged[most:], strict=False):
            assert last - first >= timedelta(seconds=span)


def _times(engine: sa.Engine) -> list[datetime]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(AttemptRow.created_at)).scalars())


@pytest.mark.statement(7)
class TestOfAStranger:
    def test_guesses_at_other_verifications_take_nothing_from_a_named_one(
        self, guesser: Guesser, person: Person, sender: FakeSender
    ) -> None:
        mine = guesser.begin()
        code = sender.last_code
        guesser.use_up(10)
        with pytest.raises(PhoneLocked):
            guesser.service.verify(person, code)
        guesser.guess(mine, 4)
        assert guesser.service.verify(person, code, mine.id)

    def test_who_has_used_up_ten_has_not_locked_out_who_names_his_own(
        self, guesser: Guesser, person: Person, sender: FakeSender
    ) -> None:
        guesser.use_up(10)
        mine = guesser.begin()
        assert guesser.service.verify(person, sender.last_code, mine.id)

    def test_where_no_code_could_be_checked_a_lock_is_told_before_a_live_code(
        self, guesser: Guesser, person: Person
    ) -> None:
        guesser.use_up(10)
        guesser.begin()
        with pytest.raises(PhoneLocked):
            guesser.service.send(person)
        assert guesser.service.resend(person), "its own guesses are left"
