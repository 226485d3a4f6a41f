"""What clients know of each verification: its code, and which requests it was right for."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from scripts.load.answers import Answer
from scripts.load.caller import Caller


@dataclass
class Verification:
    """``caller`` is the client that sent it: to others it is unknown. ``accepted`` are the requests
    that succeeded, a repeat under its key being the same one.

    ``refused`` are the answers that called the right code unknown before anybody had used it.
    ``may_be_used``: a check without a key got no clear answer.
    """

    caller: Caller
    id: str
    phone: str
    code: str
    issued: Answer
    accepted: dict[str, Answer] = field(default_factory=dict)
    refused: list[Answer] = field(default_factory=list)
    may_be_used: bool = False

    def __str__(self) -> str:
        said = [*self.accepted.values(), *self.refused]
        return f"{self.id}: {self.issued}; {'; '.join(map(str, said))}"

    @property
    def is_used(self) -> bool:
        return bool(self.accepted)

    def note(self, request: str, answer: Answer) -> None:
        """Of a check of the right code; ``request`` names it, by its key if it has one."""
        if answer.is_ok:
            self.accepted.setdefault(request, answer)
        elif answer.code == "otp_not_found" and not self.is_used:
            self.refused.append(answer)


class Ledger:
    """Of all verifications, the oldest first. Safe between threads."""

    def __init__(self) -> None:
        self._all: list[Verification] = []
        self._lock = threading.Lock()

    def add(self, verification: Verification) -> None:
        with self._lock:
            self._all.append(verification)

    def all(self) -> list[Verification]:
        with self._lock:
            return list(self._all)

    def used(self, since: float = 0.0) -> list[Verification]:
        """Those that were accepted since that moment."""
        return [
            each for each in self.all() if any(one.at >= since for one in each.accepted.values())
        ]

    def accepted_twice(self) -> list[tuple[Verification, ...]]:
        """What is known of one verification: two, if it was sent again with another code."""
        by_id: dict[str, list[Verification]] = {}
        for each in self.all():
            by_id.setdefault(each.id, []).append(each)
        return [
            tuple(same) for same in by_id.values() if sum(len(each.accepted) for each in same) > 1
        ]
