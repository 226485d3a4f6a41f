"""The promise, as a machine that Hypothesis drives: whatever breaks, every answer is the true one.

Beside the real service runs a model of it: two homes as plain Python, and a network that loses a
statement only where it was told to. Such a statement was certainly done or certainly not, so the
model knows what the service can't know, and every request has one true answer: a code whose
acceptance was told to nobody is used, a guess that never arrived has cost nothing.

The model's time moves only where the machine moves it, in steps no number of which comes close to
a code's lifetime or to a limit's window: how long the test itself takes makes no difference.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from otp_service.domain.errors import CodeAlreadySent, CodeIncorrect, OtpError
from otp_service.domain.sending import Sent
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person, Status, Verification
from tests.faults.connection import When
from tests.faults.model import (
    CANCEL,
    CHECK,
    GUESSES,
    ISSUE,
    OK,
    RECORD,
    REISSUE,
    STEP,
    Answer,
    Broken,
    Case,
    Crash,
    Loss,
    Model,
)
from tests.faults.proxy import Proxy


class World(Protocol):
    """The real thing: processes of the service, two databases, and a network."""

    proxy: Proxy
    crash: str  # "before" or "after" the next message, its process dies

    def start(self, process: int) -> OtpService:
        """The process of that number; if there was one, it is killed first."""

    def settle(self) -> None:
        """Return when no process takes the database for down any more."""

    def sent(self) -> list[str]:
        """The codes that were sent."""

    def pass_time(self, seconds: int) -> None: ...

    def purge(self) -> None:
        """Delete what has expired in the fallback."""

    def oldest_generation(self, case: str) -> int: ...

    def judged(self) -> dict[str, tuple[int, int]]:
        """By id: how many guesses were judged wrong and how many right, in both homes together."""

    def end(self) -> None:
        """No process is left, and no row."""


PROCESSES = st.integers(0, 1)
PEOPLE = st.builds(
    Person,
    st.just("public"),
    st.sampled_from([f"+9198765432{number}" for number in range(10, 14)]),
    st.sampled_from(["login", "payment"]),
)
NUMBERS = st.sampled_from([0, 0, 0, 1, 2, 3])  # of messages; 0 is the newest
CRASHES = st.sampled_from(["", "", "", "before", "after"])
WAYS = st.sampled_from(["by phone", "by phone", "by id", "by another's"])
STATEMENTS = st.sampled_from([ISSUE, REISSUE, RECORD, CHECK, CANCEL])


class Promise(RuleBasedStateMachine):
    """Two processes, four people, and what may happen to them."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.model = world, Model()
        self.processes = [world.start(0), world.start(1)]
        self.sent: list[tuple[Case, str]] = []
        self.accepted: set[str] = set()

    @rule(process=PROCESSES, whom=st.one_of(PEOPLE, NUMBERS), again=st.booleans(), crash=CRASHES)
    def send(self, process: int, whom: Person | int, again: bool, crash: str) -> None:
        """A process may die over it, when its message is not yet out or when it just is."""
        service = self.processes[process]
        act, model = (
            (service.resend, self.model.resend) if again else (service.send, self.model.send)
        )
        for person in [whom] if isinstance(whom, Person) else self._people(whom):
            self.world.crash = crash
            self._message(act, model, person)
            self.world.crash = ""
        if crash:
            self.kill(process, purge=False)

    @rule(process=PROCESSES, number=NUMBERS, ways=st.lists(WAYS, min_size=2, max_size=4))
    def type_a_code(self, process: int, number: int, ways: list[str]) -> None:
        """And again: who gets in once tries once more."""
        for case, code in self._sent(number):
            asked = {
                "by phone": None,
                "by id": case,
                "by another's": (self._sent(number + 1) or [(case, "")])[0][0],
            }
            for way in ways:
                self._check(process, case.person, code, asked[way])

    @rule(process=PROCESSES, number=NUMBERS, by_id=st.booleans(), times=st.integers(1, 6))
    def guess(self, process: int, number: int, by_id: bool, times: int) -> None:
        for case, _ in self._sent(number) * times:
            self._check(process, case.person, "0000000000", case if by_id else None)

    @rule(process=PROCESSES, number=NUMBERS, cancel=st.booleans())
    def look(self, process: int, number: int, cancel: bool) -> None:
        service = self.processes[process]
        act, model = (
            (service.cancel, self.model.cancel) if cancel else (service.get, self.model.get)
        )
        for case, _ in self._sent(number):
            self._look(act, model, case)

    @rule()
    def end_or_begin_an_outage(self) -> None:
        if self.model.away:
            self.heal()
        else:
            self.world.proxy.refuse()
            self.model.away = True

    def heal(self) -> None:
        self.world.proxy.heal()
        self.model.away, self.model.loss = False, None
        self.world.settle()

    @rule(statement=STATEMENTS, when=st.sampled_from(When), times=st.integers(1, 3))
    def lose(self, statement: str, when: When, times: int) -> None:
        """Some of the next statements; or, while such losses are ahead, all connections now."""
        if self.model.loss:
            self.world.proxy.cut()
        else:
            self.model.loss = Loss(statement, when, times)
            getattr(self.world.proxy, f"cut_{when.name.lower()}")(statement.encode(), times)

    @rule(process=PROCESSES, purge=st.booleans())
    def kill(self, process: int, purge: bool) -> None:
        """The next one may begin by tidying up the fallback."""
        self.processes[process] = self.world.start(process)
        if purge:
            self.world.purge()
            self.model.fallback.purge()

    @rule(steps=st.sampled_from([1, 1, 1, 2, 3, 9, 52]))
    def let_time_pass(self, steps: int) -> None:
        self.world.pass_time(steps * STEP)
        for home in (self.model.postgres, self.model.fallback):
            home.now += steps * STEP

    @invariant()
    def what_was_judged_is_on_record(self) -> None:
        judged = self.world.judged()
        for wrong, right in judged.values():
            self.hold(wrong <= GUESSES, "more guesses were judged than allowed")
            self.hold(right <= 1, "a code was used twice")
        for case in self.model.postgres.cases + self.model.fallback.cases:
            expected = (case.wrong, int(case.status is Status.VERIFIED))
            self.hold(
                not case.id or judged.get(case.id, (0, 0)) == expected, f"not {expected}: {judged}"
            )

    def teardown(self) -> None:
        """What nobody has used or voided has survived it all, and verifies once."""
        try:
            if sys.exc_info()[0] is None:  # else what was found on the way is to be reported
                self.heal()
                self.kill(0, purge=False)
                for case, code in reversed(self.sent):
                    if case.status is Status.PENDING:
                        for process in (0, 1):
                            self._check(process, case.person, code, case)
                self.what_was_judged_is_on_record()
        finally:
            self.world.end()

    def _people(self, number: int) -> list[Person]:
        return [case.person for case, _ in self._sent(number)]

    def hold(self, kept: bool, otherwise: str) -> None:
        if not kept:
            raise Broken(otherwise)

    def _sent(self, number: int) -> list[tuple[Case, str]]:
        """The message with this number, if there is one."""
        return self.sent[: len(self.sent) - number][-1:]

    def _ask(self, act: Callable[[], Sent | Verification]) -> tuple[str, object]:
        """What it answers or raises, and the word for it."""
        pending = self.world.proxy.pending
        try:
            return OK, act()
        except OtpError as error:
            return error.code, error
        except Crash as crash:
            return OK, crash
        finally:
            if self.world.proxy.pending < pending:
                self.world.proxy.cut()  # what is cut after a reply might look alive for a moment
            if not self.model.away:
                self.world.settle()

    def _message(
        self, act: Callable[[Person], Sent], model: Callable[[Person], Answer], person: Person
    ) -> None:
        pending = self.world.proxy.pending
        expected, case = model(person)
        answer, got = self._ask(lambda: act(person))
        self.hold(answer == expected, f"{answer}, but the truth is {expected}")
        if case and isinstance(got, CodeAlreadySent):
            self._same(case, got.verification)
        if case and isinstance(got, Sent | Crash) and self.world.crash != "before":
            code = self.world.sent()[-1]
            case.codes[-1] = (code, case.expires_at)
            self.sent.append((case, code))
        if case and isinstance(got, Sent):
            self._same(case, got.verification)
            case.oldest = len(case.codes)
            if case.home == "p":
                self.model.fate(RECORD)
                if self.world.proxy.pending < pending:  # the record may be among what was lost
                    case.oldest = self.world.oldest_generation(case.id)
        self.hold(len(self.world.sent()) == len(self.sent), "a message was sent for nothing")

    def _check(self, process: int, person: Person, code: str, case: Case | None) -> None:
        """With the case's id, if anybody was told it."""
        case = case if case and case.id else None
        expected, judged = self.model.check(person, code, case)
        verify = self.processes[process].verify
        answer, got = self._ask(lambda: verify(person, code, case.id if case else None))
        if isinstance(got, Verification):
            self.hold(got.id not in self.accepted, "a code was accepted twice")
            self.accepted.add(got.id)
        self.hold(answer == expected, f"{answer}, but the truth is {expected}")
        if judged and isinstance(got, Verification):
            self._same(judged, got)
        if judged and isinstance(got, CodeIncorrect):
            self.hold(
                got.details["attempts_remaining"] == judged.guesses - judged.wrong, "miscounted"
            )

    def _look(
        self,
        act: Callable[[str, str], Verification],
        model: Callable[[Case], Answer],
        case: Case,
    ) -> None:
        if case.id:
            expected, found = model(case)
            answer, got = self._ask(lambda: act(case.person.client, case.id))
            self.hold(answer == expected, f"{answer}, but the truth is {expected}")
            if found and isinstance(got, Verification):
                self._same(found, got)

    def _same(self, case: Case, told: Verification) -> None:
        case.id = case.id or told.id
        status = case.status
        if status is Status.PENDING and case.expires_at <= self.model.home_of(case).now:
            status = Status.EXPIRED
        expected = (case.id, case.person.phone, case.person.purpose, status, case.wrong)
        actual = (told.id, told.phone, told.purpose, told.status, told.attempts)
        self.hold(actual == expected, f"{actual}, but the truth is {expected}")
        self.hold(told.generation == len(case.codes), "the generation is another")
