"""People who ask for a code, read it off their phone and type it, one after the other."""

from __future__ import annotations

import random
import threading

from scripts.load.phones import Phones
from scripts.rolling.backend import Backend
from scripts.rolling.provider import Inbox
from scripts.rolling.tally import Tally

Accepted = dict[str, list[str]]
"""The codes that were, by phone. Each phone takes part once, so each list has one thread."""


class Person:
    """Signs in over and over, each time with another phone."""

    def __init__(self, backend: Backend, inbox: Inbox, accepted: Accepted) -> None:
        self._backend, self._inbox, self._accepted = backend, inbox, accepted

    def sign_in(self, phone: str) -> None:
        self._inbox.take(random.uniform(0.05, 0.3), phone)
        self._backend.call("/send-otp", "ok", phone_number=phone)
        if random.random() < 0.3:
            self._backend.call("/resend-otp", "ok", phone_number=phone)
        code = self._inbox.code(phone)
        if random.random() < 0.3:
            self._check(phone, _another(code), "invalid_otp")
        self._check(phone, code, "ok")
        self._check(phone, code, "otp_not_found")

    def _check(self, phone: str, code: str, expected: str) -> None:
        answer = self._backend.call("/verify-otp", expected, phone_number=phone, otp=code)
        if answer.code == "ok":
            self._accepted.setdefault(phone, []).append(code)


def _another(code: str) -> str:
    return str((int(code or 0) + 1) % 10**6).zfill(6)


class Crowd:
    """So many people at a time, for as long as the block lasts."""

    def __init__(self, size: int, port: int, key: str, inbox: Inbox, tally: Tally) -> None:
        self.accepted: Accepted = {}
        self._stop, self._phones = threading.Event(), Phones("")
        people = [Person(Backend(port, key, tally), inbox, self.accepted) for _ in range(size)]
        self._threads = [threading.Thread(target=self._go_on, args=[each]) for each in people]

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _go_on(self, person: Person) -> None:
        while not self._stop.is_set():
            person.sign_in(self._phones.new())
