"""What an event cost those who sign in, by what their requests were answered."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from scripts.load.answers import Answer
from scripts.load.load import Load

SLOWEST = 3.0  # seconds that any request may take
ISSUES = ("send", "resend")


@dataclass(frozen=True)
class Window:
    """An event's, by `time.monotonic`: from its first moment until all was well again."""

    name: str
    began: float
    ended: float
    is_failover: bool

    def has(self, answer: Answer) -> bool:
        return answer.at >= self.began and answer.began <= self.ended


@dataclass(frozen=True)
class Figures:
    """Seconds are counted from the event. ``gap``: the longest time without a code issued.

    ``postgres_again``: Postgres took the first code after the first one that it did not take;
    ``well``: the last such one. ``void`` counts right codes that were refused; ``lost`` those that
    were accepted, of which the new leader does not know it. ``late``: for how long this machine
    once let everybody wait, whatever the service does.
    """

    gap: float
    postgres_again: float
    well: float
    in_fallback: int
    refused_sends: int
    refused_checks: int
    void: int
    lost: int
    slowest: float
    late: float

    def row(self) -> str:
        issued = f"{self.gap:6.1f} {self.postgres_again:9.1f} {self.well:6.1f}"
        counts = f"{self.in_fallback:9d} {self.refused_sends:7d} {self.refused_checks:8d}"
        return (
            f"{issued} {counts} {self.void:6d} {self.lost:5d} {self.slowest:8.2f} {self.late:5.2f}"
        )


HEAD = "   gap  Postgres   well  fallback  sends-  checks-   void  lost  slowest  late"


def figures_of(load: Load, window: Window, lost: int) -> Figures:
    answers = [each for each in load.journal.since(0.0) if window.has(each)]
    sends = [each for each in answers if each.what in ISSUES]
    checks = [each for each in answers if each.what not in ISSUES]
    missed = [each.at for each in sends if not in_postgres(each)]
    again = [each.at for each in sends if in_postgres(each) and missed and each.at > missed[0]]
    issued = [window.began, *(each.at for each in sends if each.is_ok)]
    stalls = [late for when, late in load.stalls if window.began < when < window.ended]
    return Figures(
        gap=max((later - sooner for sooner, later in pairwise(sorted(issued))), default=0.0),
        postgres_again=again[0] - window.began if again else 0.0,
        well=missed[-1] - window.began if missed else 0.0,
        in_fallback=sum(each.is_ok and not in_postgres(each) for each in sends),
        refused_sends=sum(each.status == 503 for each in sends),
        refused_checks=sum(each.status == 503 for each in checks),
        void=sum(window.has(each) for one in load.ledger.all() for each in one.refused),
        lost=lost,
        slowest=max((each.seconds for each in answers), default=0.0),
        late=max(stalls, default=0.0),
    )


def in_postgres(answer: Answer) -> bool:
    return answer.is_ok and str(answer.data.get("verification_id", "")).startswith("p")
