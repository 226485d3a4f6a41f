"""Whether the promises held, over all events, by what clients were told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from scripts.failover.figures import SLOWEST, Window
from scripts.load.answers import Answer
from scripts.load.caller import Caller
from scripts.load.ledger import Verification
from scripts.load.load import Load

EXPIRY = 120.0  # seconds

# What each request may be answered, beside 503 storage_unavailable.
EXPECTED = {
    "send": {"ok"},
    "resend": {"ok"},
    "wrong check": {"invalid_otp", "otp_not_found"},
    "check": {"ok", "otp_not_found"},
    "race": {"ok", "otp_not_found"},
    "repeat": {"ok", "otp_not_found"},
    "second check": {"otp_not_found"},
    "look": {"ok", "not_found"},
}


class Checks:
    """Prints one line each, and counts."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def that(self, what: str, wrong: Sequence[object]) -> None:
        if wrong:
            self.failed += 1
            print(f"FAILED {what}: {len(wrong)}")
            for each in wrong[:5]:
                told = each if isinstance(each, tuple) else (each,)
                print(f"       {' | '.join(map(str, told))}")
        else:
            self.passed += 1
            print(f"ok     {what}")


@dataclass
class Witness:
    """Of one service: what its ``load`` was told, and what became of each code that was used.

    ``support`` may look at every client's verifications.
    """

    name: str
    load: Load
    support: Caller
    seen: list[tuple[Verification, Answer]] = field(default_factory=list)

    def look(self, since: float = 0.0) -> int:
        """At those used since then, and try each again; of how many the home has lost the use.

        Later the fallback's will be gone.
        """
        used = self.load.ledger.used(since)
        self.load.try_used_ones(since)
        with ThreadPoolExecutor(8) as pool:
            paths = [f"/verifications/{one.id}" for one in used]
            looks = list(pool.map(partial(self.support.get, "look"), paths))
        self.seen += zip(used, looks, strict=True)
        return sum(look.status in (200, 404) and not _is_verified(look) for look in looks)

    def judge(self, checks: Checks, windows: Sequence[Window]) -> None:
        ledger, answers = self.load.ledger, self.load.journal.since(0.0)
        failovers = [window for window in windows if window.is_failover]
        used, name = len(ledger.used()), self.name
        checks.that(
            f"{name}: of {used} codes used, none was accepted twice", ledger.accepted_twice()
        )
        forgotten = [each for each in self.seen if _is_forgotten(*each, failovers)]
        checks.that(f"{name}: {len(self.seen)} looks at them: verified, or void", forgotten)
        lost = [
            (one, answer)
            for one in ledger.all()
            for answer in one.refused
            if not one.may_be_used and not _excused(one, answer, failovers)
        ]
        checks.that(f"{name}: no right code was refused but by a failover", lost)
        checks.that(f"{name}: {len(answers)} answers, each as promised", _surprises(answers))
        slow = [
            each for each in answers if each.seconds > SLOWEST and not _stalled(self.load, each)
        ]
        checks.that(f"{name}: none took more than {SLOWEST:.0f} s", slow)


def _is_forgotten(one: Verification, look: Answer, failovers: Sequence[Window]) -> bool:
    if look.is_unclear or _is_verified(look):
        return False
    return look.data.get("status") == "pending" or not _excused(one, look, failovers)


def _is_verified(look: Answer) -> bool:
    return look.data.get("status") == "verified"


def _excused(one: Verification, answer: Answer, failovers: Sequence[Window]) -> bool:
    """Whether it may be void by then, or have expired: the fallback deletes what has."""
    has_expired = answer.at - one.issued.began > EXPIRY
    if not one.id.startswith("p"):
        return has_expired
    return (has_expired and answer.what != "look") or any(
        one.issued.began < window.ended and answer.at > window.began for window in failovers
    )


def _surprises(answers: Sequence[Answer]) -> list[tuple[str, int]]:
    """Each kind of them, and how often."""
    found = Counter(
        f"{each.what}: {each.status} {each.code}"
        for each in answers
        if (each.status, each.code) != (503, "storage_unavailable")
        and each.code not in EXPECTED[each.what]
    )
    return list(found.items())


def _stalled(load: Load, answer: Answer) -> bool:
    """Whether this machine itself kept everybody waiting meanwhile, for more than half a second."""
    return any(
        late > 0.5 and when < answer.at and when + late > answer.began for when, late in load.stalls
    )
