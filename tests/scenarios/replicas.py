"""Two replicas that people use while each is replaced: none of their requests may be refused."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests

from otp_service.simulator import Simulator
from tests.faults.processes import Server, Servers
from tests.faults.service import Answer
from tests.scenarios.test_workers import phones


class Replicas:
    """Calls go to the one and the other by turns, as through a proxy."""

    def __init__(self, servers: Servers, simulator: Simulator) -> None:
        self._servers, self._simulator = servers, simulator
        self._phones = iter(phones(90_000))
        self._now: list[Server] = []
        self._key: Callable[[], str] = str
        self._turns = itertools.count()
        self.refused: list[object] = []
        self.verified = 0

    def start(self, **settings: str) -> None:
        self._now = self._servers.start_several(2, **settings)

    def roll(self, **settings: str) -> None:
        """One after the other; and people sign in before, between and after."""
        following = self._servers.start_several(2, **settings)
        for place, new in enumerate(following):
            self.wait_for_people()
            old, self._now[place] = self._now[place], new
            self.wait_for_people()
            old.stop()

    def wait_for_people(self, count: int = 2) -> None:
        """Until so many more have signed in, or one was refused."""
        until, moment = self.verified + count, threading.Event()
        while self.verified < until and not self.refused:
            moment.wait(0.01)

    def use_key(self, key: Callable[[], str]) -> None:
        """Who signs in has this API key, as it is at the moment."""
        self._key = key

    def take_turns(self) -> Server:
        server = self._now[next(self._turns) % 2]
        server.headers = {"Authorization": f"Bearer {key}"} if (key := self._key()) else {}
        return server

    @contextmanager
    def in_use(self, *uses: Callable[[], object]) -> Iterator[None]:
        """By somebody who signs in over and over, and by whoever does one of these."""
        over = threading.Event()

        def go_on(use: Callable[[], object]) -> None:
            while not over.is_set() and not self.refused:
                try:
                    use()
                except (AssertionError, requests.RequestException) as error:
                    self.refused.append(error)

        threads = [threading.Thread(target=go_on, args=[use]) for use in (self._sign_in, *uses)]
        for thread in threads:
            thread.start()
        try:
            self.wait_for_people()
            yield
            self.wait_for_people()
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def _sign_in(self) -> None:
        """The one sends, the other checks: in both directions, since the turns go on."""
        phone = next(self._phones)
        self._is_ok(self.take_turns().send(phone))
        code = self._simulator.last_code(phone)
        assert code
        self._is_ok(self.take_turns().verify(code, phone))
        self.verified += 1
        self.take_turns()  # the next one begins at the other replica

    def _is_ok(self, answer: Answer) -> None:
        assert (answer.status, answer.code) == (200, "ok"), answer.body
