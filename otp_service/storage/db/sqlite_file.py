"""Whether a SQLite file has changed, without asking SQLite."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

import sqlalchemy as sa

SETTLED_SECONDS = 0.1
"""A file's time goes on in steps of milliseconds: of two writes in one of them it tells one."""


class State(NamedTuple):
    """Of the file and of its log of changes, which takes every commit first."""

    file: tuple[int, int, int]
    log: tuple[int, int, int] | None


class SqliteFile:
    """The file that ``engine`` is on, as this machine's processes leave it."""

    def __init__(self, engine: sa.Engine) -> None:
        self._path = str(engine.url.database)

    def state(self) -> State | None:
        """Equal states are of a file that nobody wrote to between them; None without a file."""
        file = _facts(self._path)
        return State(file, _facts(f"{self._path}-wal")) if file else None

    def settled_state(self) -> State | None:
        """`state`, if whatever is written from now on would be seen in it."""
        state = self.state()
        if state is None:
            return None
        newest = max(facts[0] for facts in state if facts)
        return state if time.time_ns() - newest > SETTLED_SECONDS * 1e9 else None


def _facts(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
