"""What Postgres gives and others may not, though they say nothing: in words for who runs it."""

from __future__ import annotations

from dataclasses import dataclass

ADVICE = (
    "Use PostgreSQL, or an engine that gives this. docs/decisions/what-the-engine-must-give.md says"
    " what is asked, and what is known of others."
)


@dataclass(frozen=True)
class Missing:
    """``asked`` of the engine, what was ``found`` instead, and what may happen ``then``."""

    asked: str
    found: str
    then: str

    def __str__(self) -> str:
        return f"it gives no {self.asked}: {self.found}. So {self.then}"


_TWICE = "a code could be accepted twice, and more guesses be judged than there are"
_LOCKS = "locks that hold between connections"
ONE_TRANSACTION = Missing(
    "transaction to a message",
    "the second statement of one message was in another transaction than the first",
    f"no lock would last to the end of a message: {_TWICE}",
)
NO_LOCK = Missing(_LOCKS, "two connections held the same advisory lock at a time", _TWICE)
NO_WAIT = Missing(_LOCKS, "a second connection did not wait for an advisory lock", _TWICE)
NO_END = Missing(
    _LOCKS,
    "an advisory lock that nobody held was not to be had",
    "what has expired would not be marked so",
)
NOT_READ_COMMITTED = Missing(
    "READ COMMITTED",
    "behind a lock, a statement did not see what the lock's holder had committed",
    _TWICE,
)
NOT_SKIPPED = Missing(
    "SKIP LOCKED", "it gave out a row that was locked", "two workers could send the same message"
)
NOT_FOUND = Missing(
    "SKIP LOCKED", "it skipped a row that nobody held", "messages and receipts could stay undone"
)
NO_ROW_LOCK = Missing(
    "locks on rows", "an UPDATE did not wait for another one of the same row", _TWICE
)
NO_SECOND_LOOK = Missing(
    "READ COMMITTED",
    "an UPDATE that waited for a row changed it, though its condition did not hold any more",
    _TWICE,
)
