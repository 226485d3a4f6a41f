"""A phone has only so many verifications at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import CodeAlreadySent, SendLimitExceeded
from otp_service.domain.limits import Limit
from otp_service.domain.verification import Person
from tests.fakes import FakeSender
from tests.storage.conftest import MakeService
from tests.storage.helpers import pass_time
from tests.storage.sql.guesser import MANY_SENDS, TEST_NUMBER, Guesser


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
