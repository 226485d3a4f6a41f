"""What is true: two homes as plain Python, and a network that loses only what it was told to.

A statement that was lost was certainly done or certainly not, so the model knows what the service
can't know, and every request has one true answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from otp_service.domain.limits import Limit, Limits
from otp_service.domain.verification import Person, Status
from tests.faults.connection import When

LIFETIME, GUESSES = 180, 5
STEP = 70  # 140 or 210 seconds, 560 or 630, 3570 or 3640

OK, UNAVAILABLE = "ok", "storage_unavailable"
ALREADY, TOO_MANY_SENDS = "otp_already_sent", "send_limit_exceeded"
WRONG, USED_UP, LOCKED = "invalid_otp", "too_many_attempts", "phone_locked"
NO_CODE, UNKNOWN = "otp_not_found", "not_found"

ISSUE, CHECK, REISSUE = "pg_temp.issue_", "pg_temp.check_code_", "pg_temp.reissue_"
CANCEL, RECORD = "pg_temp.cancel_", "pg_temp.submitted_"


class Broken(AssertionError):
    """The promise was."""


class Crash(BaseException):
    """A process dies."""


@dataclass(eq=False)
class Case:
    """A verification. The code that reached nobody is empty, and so is the id nobody was told."""

    person: Person
    home: str
    id: str = ""
    status: Status = Status.PENDING
    codes: list[tuple[str, int]] = field(default_factory=list)  # each until when
    oldest: int = 1
    expires_at: int = 0
    wrong: int = 0
    guesses: int = GUESSES  # that it got when it was issued


Answer = tuple[str, "Case | None"]


@dataclass(eq=False)
class Home:
    """What a home has to remember, and how it has to answer. Events are of a phone, at a time."""

    letter: str
    now: int = 0
    cases: list[Case] = field(default_factory=list)
    sends: list[tuple[str, int]] = field(default_factory=list)
    failures: list[tuple[str, int]] = field(default_factory=list)

    def newest(self, person: Person) -> Case | None:
        return next((case for case in reversed(self.cases) if case.person == person), None)

    def known(self, person: Person) -> Case | None:
        case = self.newest(person)
        return case if case and case.expires_at > self.now else None

    def live(self, person: Person) -> Case | None:
        case = self.known(person)
        return case if case and case.status is Status.PENDING else None

    def forget(self, person: Person) -> None:
        for case in self.cases:
            if case.person == person:
                case.expires_at = min(case.expires_at, self.now)

    def purge(self) -> None:
        """What has expired goes; what the limits have counted is still true."""
        self.cases = [case for case in self.cases if case.expires_at > self.now]

    def issue(self, person: Person) -> Answer:
        left = self._guesses_left(person)
        if left <= 0 and self._met(Limits().phone_failures, self.failures, person):
            return LOCKED, None
        if live := self.live(person):
            return ALREADY, live
        if len(self._all_live(person)) >= Limits().live_verifications.count:
            return TOO_MANY_SENDS, None
        answer, case = self.reissue(Case(person, self.letter, guesses=min(GUESSES, left)))
        if case and left <= 0:
            self.sends.pop()
            return LOCKED, None
        if case:
            self.cases.append(case)
        return answer, case

    def _all_live(self, person: Person) -> list[Case]:
        """The phone's, for whatever purpose."""
        of_phone = [case for case in self.cases if case.person.phone == person.phone]
        return [
            case
            for case in of_phone
            if case.status is Status.PENDING and case.expires_at > self.now
        ]

    def _guesses_left(self, person: Person) -> int:
        """For a verification that begins now: of 15 an hour and of 30 a day."""
        out = sum(case.guesses - case.wrong for case in self._all_live(person))
        hour, day = Limits().phone_failures
        return min(
            hour.count + GUESSES - self._recent(hour, self.failures, person) - out,
            day.count - self._recent(day, self.failures, person) - out,
        )

    def reissue(self, case: Case) -> Answer:
        if self._met(Limits().phone_sends, self.sends, case.person):
            return TOO_MANY_SENDS, None
        case.expires_at = self.now + LIFETIME
        case.codes.append(("", case.expires_at))
        self.sends.append((case.person.phone, self.now))
        return OK, case

    def judge(self, case: Case | None, code: str, named: bool) -> Answer:
        if not case or case not in self.cases or case.expires_at <= self.now:
            return NO_CODE, None
        if case.status is not Status.PENDING:
            return (USED_UP if case.status is Status.FAILED else NO_CODE), case
        if not named and self._met(Limits().phone_failures, self.failures, case.person):
            return LOCKED, case
        if any(code == good and self.now < end for good, end in case.codes[case.oldest - 1 :]):
            case.status = Status.VERIFIED
            return OK, case
        self.failures.append((case.person.phone, self.now))
        case.wrong += 1
        if case.wrong == case.guesses:
            case.status = Status.FAILED
        return WRONG, case

    def get(self, case: Case) -> Answer:
        return (OK, case) if case in self.cases else (UNKNOWN, None)

    def cancel(self, case: Case) -> Answer:
        if case is self.live(case.person):
            case.status = Status.CANCELED
        return self.get(case)

    def _met(self, limits: tuple[Limit, ...], events: list[tuple[str, int]], of: Person) -> bool:
        return any(self._recent(limit, events, of) >= limit.count for limit in limits)

    def _recent(self, limit: Limit, events: list[tuple[str, int]], of: Person) -> int:
        """How many there were in the limit's window."""
        ages = [self.now - time for phone, time in events if phone == of.phone]
        return sum(age < limit.seconds for age in ages)


@dataclass
class Loss:
    """The next so many statements of a kind will be cut."""

    statement: str
    when: When
    times: int


class Model:
    """The service, as it has to be."""

    def __init__(self) -> None:
        self.postgres, self.fallback = Home("p"), Home("s")
        self.away = False
        self.loss: Loss | None = None

    def home_of(self, case: Case) -> Home:
        return self.postgres if case.home == "p" else self.fallback

    def send(self, person: Person) -> Answer:
        """Who has a live code in the fallback gets no other; else Postgres decides, if it can."""
        if self.fallback.live(person):
            return self.fallback.issue(person)
        self.fallback.forget(person)
        return self._issue(person)

    def resend(self, person: Person) -> Answer:
        if case := self.fallback.live(person):
            return self.fallback.reissue(case)
        self.fallback.forget(person)
        for _ in range(3):  # losses that one request puts up with
            case = None if self.away else self.postgres.live(person)
            if case is None:
                return self._issue(person)
            answer = self._in_postgres(REISSUE, self.postgres.reissue, case)
            if answer[0] != UNAVAILABLE:
                return answer
        return UNAVAILABLE, None

    def check(self, person: Person, code: str, case: Case | None) -> Answer:
        """By phone the newest code counts: the fallback's, as long as it knows the person."""
        if case:
            home = self.home_of(case)
            asked = case if case.person == person else None
        else:
            home = self.fallback if self.fallback.known(person) else self.postgres
            asked = home.newest(person)
        if home is self.fallback:
            return home.judge(asked, code, case is not None)
        return self._in_postgres(CHECK, home.judge, asked, code, case is not None)

    def get(self, case: Case) -> Answer:
        if case.home == "s":
            return self.fallback.get(case)
        return (UNAVAILABLE, None) if self.away else self.postgres.get(case)

    def cancel(self, case: Case) -> Answer:
        if case.home == "s":
            return self.fallback.cancel(case)
        return self._in_postgres(CANCEL, self.postgres.cancel, case)

    def fate(self, statement: str) -> When | None:
        """What becomes of the next such statement."""
        loss = self.loss
        if self.away or loss is None or loss.statement != statement:
            return None
        loss.times -= 1
        self.loss = loss if loss.times else None
        return loss.when

    def _issue(self, person: Person) -> Answer:
        """If the answer is lost, a verification stays behind in Postgres whose code nobody has."""
        answer = self._in_postgres(ISSUE, self.postgres.issue, person)
        return self.fallback.issue(person) if answer[0] == UNAVAILABLE else answer

    def _in_postgres(self, statement: str, act: Callable[..., Answer], *given: object) -> Answer:
        fate = self.fate(statement)
        if self.away or fate is When.BEFORE_REQUEST:
            return UNAVAILABLE, None
        answer = act(*given)
        return (UNAVAILABLE, None) if fate is When.BEFORE_REPLY else answer
