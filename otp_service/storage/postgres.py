"""Connections to Postgres that come back in time: with an answer or with an error.

Neither `statement_timeout` nor TCP's own timeouts help against a server that acknowledges and
stays silent. psycopg2's wait callback does: libpq works without blocking and we wait, until a
deadline. Raising there makes psycopg2 give the connection up (psycopg2 manual, "Support for
coroutine libraries"). It bypasses libpq's `connect_timeout`, so that one silent host would use up
the time of all: hosts and their addresses are tried one by one, each with its share.
"""

from __future__ import annotations

import ctypes
import math
import re
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2 import extensions

_ADDRESSES_OF_A_HOST = 2
_VERBOSE = 2  # libpq's PQERRORS_VERBOSE
_SQLSTATE = re.compile(r":\s+(?=[A-Z]*[0-9])([0-9A-Z]{5}):\s")
_READ_ONLY = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean"

_libpq = ctypes.CDLL(psycopg2._psycopg.__file__)
_libpq.PQsetErrorVerbosity.argtypes = [ctypes.c_void_p, ctypes.c_int]
_here = threading.local()

Parameters = dict[str, Any]


class NoAnswer(psycopg2.OperationalError):
    """The deadline has passed; what was asked may or may not have happened."""


class ConnectFailed(psycopg2.OperationalError):
    """``pgcode`` is what the server said; None if none could be talked to."""

    pgcode: str | None = None


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """This thread waits for Postgres no longer than that, all waits together."""
    before = getattr(_here, "deadline", None)
    _here.deadline = time.monotonic() + seconds
    try:
        yield
    finally:
        _here.deadline = before


def _left() -> float | None:
    """Seconds until this thread's deadline, None without one."""
    end = getattr(_here, "deadline", None)
    return None if end is None else max(0.0, end - time.monotonic())


def wait(connection: Any) -> None:
    """psycopg2's wait callback: until the connection is ready, or the deadline."""
    if connection.status == extensions.STATUS_SETUP:
        # Failures to connect have no SQLSTATE of their own, but in libpq's verbose text they do.
        _libpq.PQsetErrorVerbosity(connection.pgconn_ptr, _VERBOSE)
    while (state := connection.poll()) != extensions.POLL_OK:
        poll = select.poll()  # select() can't watch descriptors above 1023
        reading = state == extensions.POLL_READ
        poll.register(connection.fileno(), select.POLLIN if reading else select.POLLOUT)
        left = _left()
        if not poll.poll(None if left is None else math.ceil(1000 * left)):
            raise NoAnswer


def connect(_dialect: Any, _record: Any, _args: Any, parameters: Parameters) -> Any:
    """SQLAlchemy's ``do_connect``: the first host that can be written to.

    If none can, a host that could not be talked to decides what is raised: it may have been the
    one to write to. Without any such, what a host answered does (a wrong password, read-only).
    """
    wanted = {k: v for k, v in parameters.items() if k != "target_session_attrs"}  # done here
    failure = ConnectFailed()
    targets = _targets(wanted)
    for number, target in enumerate(targets):
        left = _left()
        try:
            with deadline(60 if left is None else left / (len(targets) - number)):
                return _writable(psycopg2.connect(**wanted | target))
        except psycopg2.OperationalError as error:
            said = _SQLSTATE.search(str(error))
            state = error.pgcode or (said and said[1])
            if number == 0 or failure.pgcode:
                failure = ConnectFailed()
                failure.pgcode = state
    raise failure


def _writable(connection: Any) -> Any:
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(_READ_ONLY)
        (read_only,) = cursor.fetchone()
    if read_only:
        connection.close()
        failure = ConnectFailed()
        failure.pgcode = "25006"
        raise failure
    return connection


def _targets(parameters: Parameters) -> list[Parameters]:
    """Where to connect to, in order. A host keeps its name, which TLS checks."""
    hosts = str(parameters.get("host") or "").split(",")
    ports = str(parameters.get("port") or 5432).split(",")
    found: list[Parameters] = []
    for host, port in zip(hosts, ports * len(hosts) if len(ports) == 1 else ports, strict=False):
        here = {"host": host, "port": port or 5432} if host else {}
        if not host or host.startswith("/") or "hostaddr" in parameters:
            found.append(here)
        else:
            found += [here | {"hostaddr": address} for address in _resolve(host)]
    return found


def _resolve(host: str) -> list[str]:
    """Its addresses. The system's resolver knows no deadline, so that it runs aside."""
    found: list[str] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError:
            return
        found.extend(str(answer[4][0]) for answer in answers)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    left = _left()
    asking.join(None if left is None else left / 2)
    return found[:_ADDRESSES_OF_A_HOST]
