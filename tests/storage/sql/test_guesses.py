"""Wrong guesses of a phone: given out when a verification is issued, and never too many."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import (
    CodeAlreadySent,
    OtpError,
    PhoneLocked,
    SendLimitExceeded,
    TooManyAttempts,
)
from otp_service.domain.limits import Limit, Limits
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person, Verification
from otp_service.storage import phones
from otp_service.storage.models.limits import PhoneRow
from otp_service.storage.models.verifications import AttemptRow
from tests.fakes import FakeSender
from tests.storage.conftest import MakeService
from tests.storage.helpers import fail, pass_time, race, wrong

HOUR, DAY = 3_600, 86_400
MANY_SENDS = replace(Limits(), phone_sends=(Limit("phone_sends", 1_000, 600),))
TEST_NUMBER = "+1234567890"


class Guesser:
    """Begins verifications of one phone and guesses at them, naming them by their ids."""

    def __init__(self, service: OtpService, sender: FakeSender, person: Person) -> None:
        self.service, self.sender, self.person = service, sender, person

    def begin(self, purpose: str = "login", client: str = "public") -> Verification:
        person = replace(self.person, purpose=purpose, client=client)
        return self.service.send(person).verification

    def guess(self, at: Verification, times: int = 1) -> None:
        """All of them wrong; each has to be judged."""
        person = replace(self.person, purpose=at.purpose, client=at.client)
        for _ in range(times):
            outcome = race(lambda: self.service.verify(person, "0000000000", at.id))
            assert outcome == {"invalid_otp": 1}

    def use_up(self, count: int) -> None:
        """So many wrong guesses, five at one verification."""
        for number in range(count // 5):
            self.guess(self.begin(f"used-up-{number}"), 5)
        if count % 5:
            at = self.begin("used-up")
            self.guess(at, count % 5)
            self.service.cancel(at.client, at.id)

    def refusal(self, purpose: str = "login") -> PhoneLocked:
        with pytest.raises(PhoneLocked) as caught:
            self.begin(purpose)
        return caught.value


@pytest.fixture
def guesser(make_service: MakeService, sender: FakeSender, person: Person) -> Guesser:
    return Guesser(make_service(limits=MANY_SENDS), sender, person)


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


class TestLiveVerifications:
    def test_the_fourth_of_a_phone_is_refused_until_one_has_ended(
        self, guesser: Guesser, engine: sa.Engine
    ) -> None:
        for purpose, client in (("one", "public"), ("two", "public"), ("one", "another")):
            guesser.begin(purpose, client)
        with pytest.raises(SendLimitExceeded) as caught:
            guesser.begin("three")
        told = caught.value.details
        assert (told["limit"], told["allowed"]) == ("live_verifications", 3)
        assert caught.value.retry_after == pytest.approx(180, abs=30)
        with pytest.raises(CodeAlreadySent):
            guesser.begin("two")
        pass_time(engine, 181)
        assert guesser.begin("three")

    def test_each_way_to_ask_is_refused(self, guesser: Guesser, person: Person) -> None:
        for purpose in ("one", "two", "three"):
            guesser.begin(purpose)
        with pytest.raises(SendLimitExceeded):
            guesser.service.resend(person)

    def test_a_test_number_may_have_more(
        self, make_service: MakeService, sender: FakeSender, person: Person
    ) -> None:
        limits = replace(MANY_SENDS, live_verifications=Limit("live_verifications", 1, 0))
        service = make_service(limits=limits)
        guesser = Guesser(service, sender, replace(person, phone=TEST_NUMBER))
        assert guesser.begin("one")
        assert guesser.begin("two")


@pytest.mark.statement(6)
class TestInARow:
    SEVEN = replace(
        MANY_SENDS,
        failures_in_a_row=7,
        phone_failures=(Limit("phone_failures", 1_000, HOUR),),
    )

    @pytest.fixture
    def strict(self, make_service: MakeService, sender: FakeSender, person: Person) -> Guesser:
        return Guesser(make_service(limits=self.SEVEN), sender, person)

    def test_too_many_disable_a_phone_however_long_ago_they_were(
        self, strict: Guesser, engine: sa.Engine
    ) -> None:
        strict.guess(strict.begin("one"), 5)
        last = strict.begin("two")
        assert last.attempts_remaining == 2
        strict.guess(last, 2)
        pass_time(engine, 40 * DAY)
        refusal = strict.refusal()
        assert refusal.details["limit"] == "failures_in_a_row"
        assert refusal.retry_after == DAY

    def test_what_is_out_counts_towards_them(self, strict: Guesser, engine: sa.Engine) -> None:
        strict.begin("waits")
        assert strict.begin("two").attempts_remaining == 2
        assert strict.refusal().details["limit"] == "failures_in_a_row"
        pass_time(engine, 181)
        assert strict.begin().attempts_remaining == 5

    def test_an_operator_enables_it_again(self, strict: Guesser, engine: sa.Engine) -> None:
        strict.use_up(5)
        strict.guess(strict.begin("two"), 2)
        strict.refusal()
        phones.unlock(engine, strict.person.phone)
        assert strict.begin().attempts_remaining == 5

    def test_a_right_code_of_a_verification_that_began_before_enables_it_again(
        self, strict: Guesser, person: Person, sender: FakeSender, engine: sa.Engine
    ) -> None:
        mine, code = strict.begin(), sender.last_code
        with engine.begin() as connection:  # as a release did that gave out more
            row = {"phone": person.phone, "failures": 7}
            times = {"disabled_at": sa.func.clock(), "updated_at": sa.func.clock()}
            connection.execute(sa.insert(PhoneRow).values(**row, **times))
        with pytest.raises(PhoneLocked):
            strict.service.verify(person, code)
        assert strict.service.verify(person, code, mine.id)
        assert strict.begin()

    def test_a_right_code_begins_the_count_anew(
        self, strict: Guesser, person: Person, sender: FakeSender
    ) -> None:
        for _ in range(4):
            strict.service.send(person)
            fail(strict.service, person, sender.last_code, 4)
            assert strict.service.verify(person, sender.last_code)

    def test_ids_of_a_test_number_that_were_begun_before_are_disabled_with_it(
        self, strict: Guesser
    ) -> None:
        strict.person = replace(strict.person, phone=TEST_NUMBER)
        live = [strict.begin(f"purpose-{number}") for number in range(3)]
        strict.guess(live[0], 5)
        strict.guess(live[1], 2)
        for each in live[1:]:
            person = replace(strict.person, purpose=each.purpose)
            with pytest.raises(PhoneLocked):
                strict.service.verify(person, "0000000000", each.id)

    def test_by_default_it_takes_a_hundred(
        self, guesser: Guesser, person: Person, sender: FakeSender, engine: sa.Engine
    ) -> None:
        guesser.guess(guesser.begin("first"))
        with engine.begin() as connection:
            connection.execute(sa.update(PhoneRow).values(failures=93))
        last = guesser.begin()
        assert last.attempts_remaining == 3, "four are out on the first one"
        code = sender.last_code
        for _ in range(3):
            outcome = race(lambda: guesser.service.verify(person, wrong(code), last.id))
            assert outcome == {"invalid_otp": 1}
        assert guesser.refusal("another").details["limit"] == "failures_in_a_row"
