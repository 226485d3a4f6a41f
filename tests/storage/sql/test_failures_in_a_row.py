"""Wrong guesses in a row disable a phone, however long they take."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import PhoneLocked
from otp_service.domain.limits import Limit
from otp_service.domain.verification import Person
from otp_service.storage import phones
from otp_service.storage.models.limits import PhoneRow
from tests.fakes import FakeSender
from tests.storage.conftest import MakeService
from tests.storage.helpers import fail, pass_time, race, wrong
from tests.storage.sql.guesser import DAY, HOUR, MANY_SENDS, TEST_NUMBER, Guesser


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
