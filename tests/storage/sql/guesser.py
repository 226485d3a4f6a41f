"""Who guesses codes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otp_service.domain.errors import PhoneLocked
from otp_service.domain.limits import Limit, Limits
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person, Verification
from tests.fakes import FakeSender
from tests.storage.helpers import race

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
