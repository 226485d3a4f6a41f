"""A person who signs in: asks for a code, gets it wrong, asks again, types it; and a backend that
repeats what got no clear answer, each request under its Idempotency-Key.
"""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from scripts.load.answers import Answer
from scripts.load.caller import Caller, until_clear
from scripts.load.ledger import Ledger, Verification
from scripts.load.phones import Phones

AT_ONCE = 4  # checks of one code from as many threads
PATIENCE = 60.0  # seconds for which a request is repeated
LONGEST_WAIT = 40.0  # seconds before a slow person types the code

# How many of a hundred do so.
GUESS_WRONG, RESEND, WAIT, RACE, BY_PHONE = 30, 20, 40, 25, 30


class Person:
    """Each request's name in the journal: send, resend, wrong check, check, race, repeat, second
    check. The last two follow a success: a repeat has its key, a second check must be refused.
    """

    def __init__(self, caller: Caller, phones: Phones, ledger: Ledger) -> None:
        self._caller = caller
        self._phones = phones
        self._ledger = ledger
        self._phone = phones.new()

    def sign_in(self) -> None:
        """From the first request to the last; gives up where none gets a clear answer."""
        mine = self._ask_for_a_code("send")
        if mine and _chance(GUESS_WRONG):
            self._check("wrong check", mine, _other(mine.code), str(uuid4()))
        if mine and _chance(RESEND):
            mine = self._ask_for_a_code("resend")
        if mine is None:
            return
        if _chance(WAIT):
            time.sleep(random.uniform(0, LONGEST_WAIT))
        if _chance(RACE):
            self._race(mine)
        if not mine.is_used:
            self._type(mine)

    def _ask_for_a_code(self, what: str) -> Verification | None:
        body, key = {"phone_number": self._phone}, str(uuid4())
        answer = until_clear(lambda: self._caller.post(what, f"/{what}-otp", body, key), PATIENCE)
        code = self._phones.code(self._phone) if answer.is_ok else None
        if code is None:
            return None
        id_ = str(answer.data["verification_id"])
        mine = Verification(self._caller, id_, self._phone, code, answer)
        self._ledger.add(mine)
        return mine

    def _type(self, mine: Verification) -> None:
        """The right code, under a key; then once more with the key, and without."""
        key, by_phone = str(uuid4()), _chance(BY_PHONE)
        answer = self._check("check", mine, mine.code, key, by_phone=by_phone)
        mine.note(key, answer)
        if answer.is_ok:
            again = self._check("repeat", mine, mine.code, key, by_phone=by_phone)
            mine.note(key, again)
            try_again(mine)

    def _race(self, mine: Verification) -> None:
        """The right code from several threads at once, without keys."""

        def check(_: int) -> Answer:
            return self._caller.post("race", "/verify-otp", _body(mine, mine.code))

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(check, range(AT_ONCE)))
        mine.may_be_used = any(answer.is_unclear for answer in answers)
        for answer in sorted(answers, key=lambda each: not each.is_ok):
            mine.note(str(uuid4()), answer)

    def _check(
        self, what: str, mine: Verification, code: str, key: str, *, by_phone: bool = False
    ) -> Answer:
        body = _body(mine, code)
        if by_phone:
            del body["verification_id"]
        return until_clear(lambda: self._caller.post(what, "/verify-otp", body, key), PATIENCE)


def try_again(verification: Verification) -> None:
    """A code that was accepted, without a key: whatever has happened since, it must be refused."""
    body = _body(verification, verification.code)
    answer = verification.caller.post("second check", "/verify-otp", body)
    verification.note(str(uuid4()), answer)


def _body(verification: Verification, code: str) -> dict[str, str]:
    return {
        "phone_number": verification.phone,
        "otp": code,
        "verification_id": verification.id,
    }


def _other(code: str) -> str:
    """A wrong one of the same length."""
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"


def _chance(percent: int) -> bool:
    return random.randrange(100) < percent
