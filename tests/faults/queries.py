"""Questions to a Postgres that may not answer, past the service and its own deadlines."""

from __future__ import annotations

import select
import time
from typing import Any

import psycopg2
from psycopg2 import extensions

from tests.faults.loopback import LOOPBACK

PATIENCE = 60.0  # seconds for what takes one or two on an idle machine
Rows = list[tuple[Any, ...]]


def ask(port: int, statement: str, timeout: float = PATIENCE) -> Rows:
    """The rows of this statement, asked of the given port on a connection of its own."""
    connection = connect(port, timeout)
    try:
        return run(connection, statement, timeout)
    finally:
        connection.close()


def connect(port: int, timeout: float = PATIENCE) -> extensions.connection:
    """A connection for `run`; TimeoutError when nothing answers.

    An asynchronous one: it has our deadline, and does not care whether a wait callback is set.
    """
    connection = psycopg2.connect(
        host=LOOPBACK, port=port, user="postgres", dbname="postgres", async_=True
    )
    wait(connection, timeout)
    return connection


def run(connection: extensions.connection, statement: str, timeout: float = PATIENCE) -> Rows:
    """The rows of this statement, in autocommit; TimeoutError when nothing answers."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        wait(connection, timeout)
        return cursor.fetchall() if cursor.description else []


def wait(connection: extensions.connection, timeout: float = PATIENCE) -> None:
    """Until the connection has its answer; TimeoutError when nothing answers."""
    deadline = time.monotonic() + timeout
    while (state := connection.poll()) != extensions.POLL_OK:
        ready = select.POLLIN if state == extensions.POLL_READ else select.POLLOUT
        poll = select.poll()  # select() can't watch descriptors above 1023
        poll.register(connection, ready)
        if not poll.poll(max(0.0, 1000 * (deadline - time.monotonic()))):
            raise TimeoutError("Postgres did not answer in time")
