"""Transactions on a SQLite file that share a commit: one of them waits for the disk, for all.

SQLite has one writer, who waits for the disk at each commit; so those who wait meanwhile go next
together. Each of them sees what those before it did, as if they had committed, and answers when
that is on the disk. If one fails, each is done by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import sqlalchemy as sa

from otp_service.storage.db.answer import Row
from otp_service.storage.db.script import Script, Values

MOST = 32  # transactions of a commit, so that the first does not wait for many


class _Job:
    """A script to be run with values that are given, and what came of it."""

    def __init__(self, script: Script, given: Values) -> None:
        self.script = script
        self.given = given
        self.rows: list[Row] = []
        self.error: BaseException | None = None
        self.is_over = False
        self.woken = threading.Lock()
        """Held until this is over, or its thread has to lead."""
        self.woken.acquire()


class GroupCommit:
    """Of one engine, whose connection it takes for a group at a time."""

    def __init__(self) -> None:
        self._waiting: list[_Job] = []
        self._is_led = False
        self._lock = threading.Lock()

    def run(self, engine: sa.Engine, script: Script, given: Values) -> list[Row]:
        """Alone, or with what else waits. Raises what SQLite and the engine do."""
        job = _Job(script, given)
        with self._lock:
            self._waiting.append(job)
            leads, self._is_led = not self._is_led, True
        if not leads:
            job.woken.acquire()
        if not job.is_over:
            self._lead(engine)
        if job.error:
            raise job.error
        return job.rows

    def _lead(self, engine: sa.Engine) -> None:
        with self._lock:
            group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            with closing(engine.raw_connection()) as connection:
                _commit(connection, group)
        except BaseException as error:
            for job in group:
                job.error = error
        with self._lock:
            following = self._waiting[:1]
            self._is_led = bool(following)
        for job in group:
            job.is_over = True
        for job in (*following, *group):
            job.woken.release()


def _commit(connection: Any, group: Sequence[_Job]) -> None:
    cursor = connection.cursor()
    writes = any(not job.script.reads for job in group)
    cursor.execute("BEGIN IMMEDIATE" if writes else "BEGIN")  # or none of them
    try:
        for job in group:
            job.rows = job.script.run(cursor, job.given)
        cursor.execute("COMMIT")
    except Exception:
        connection.rollback()
        if len(group) == 1:
            raise
        _commit_each(connection, group)


def _commit_each(connection: Any, group: Sequence[_Job]) -> None:
    for job in group:
        try:
            _commit(connection, [job])
        except Exception as error:
            job.error = error
