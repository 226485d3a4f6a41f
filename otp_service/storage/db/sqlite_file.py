"""Whether a SQLite file has changed, without asking SQLite."""

from __future__ import annotations

import time

import sqlalchemy as sa

from otp_service.syscalls import FileState, file_state

SETTLED_SECONDS = 0.1
"""A file's time goes on in steps of milliseconds: of two writes in one of them it tells one."""


class SqliteFile:
    """The file that ``engine`` is on, as this machine's processes leave it."""

    def __init__(self, engine: sa.Engine) -> None:
        self._path = str(engine.url.database)

    def state(self) -> FileState | None:
        """Of its log of changes, which takes every commit first; of the file itself without one.

        Equal states are of a file that nobody wrote to between them; None without a file.
        """
        return file_state(f"{self._path}-wal") or file_state(self._path)

    def settled_state(self) -> FileState | None:
        """`state`, if whatever is written from now on would be seen in it."""
        state = self.state()
        if state is None:
            return None
        return state if time.time_ns() - state.modified_ns > SETTLED_SECONDS * 1e9 else None
