"""Connections to Postgres that come back in time: with an answer or with an error.

Neither `statement_timeout` nor TCP's own timeouts help against a server that acknowledges and
stays silent. psycopg2's wait callback does: libpq works without blocking and we wait, until a
deadline. Raising there makes psycopg2 give the connection up (psycopg2 manual, "Support for
coroutine libraries"). It bypasses libpq's `connect_timeout`, so that one silent host would use up
the time of all: hosts and their addresses are tried one by one, each with its share.
"""

from __future__ import annotations

import ctypes
import ipaddress
import logging
import math
import re
import select
import socket
import threading
import time
from typing import Any
from weakref import WeakSet

import psycopg2
from psycopg2 import extensions

from otp_service.storage.db import connect_failures, failure_table
from otp_service.storage.db.connect_failures import READ_ONLY, ConnectFailed, NoAnswer
from otp_service.storage.db.session import SETTINGS, Session
from otp_service.storage.models.dialects import TIMELINE
from otp_service.turns import let_go

_ADDRESSES_OF_A_HOST = 2
_VERBOSE = 2  # libpq's PQERRORS_VERBOSE
_ABOUT = (
    "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean,"
    " pg_backend_pid()"
)
_PREPARE = "; ".join(f"SET {name} = '{value}'" for name, value in SETTINGS.items())
_NO_TIMELINE = re.compile("0A|42|55000")  # it is not supported there, not allowed, or not there

_libpq = ctypes.CDLL(psycopg2._psycopg.__file__)
_libpq.PQsetErrorVerbosity.argtypes = [ctypes.c_void_p, ctypes.c_int]
_told_of: WeakSet[Any] = WeakSet()  # the dialects, one an engine, of servers without a timeline
log = logging.getLogger(__name__)

Parameters = dict[str, Any]


class _Here(threading.local):
    deadline: float | None = None


_here = _Here()


class deadline:  # noqa: N801 (as it reads behind "with")
    """This thread waits for Postgres no longer than so many seconds, all waits together.

    Nor longer than the deadline that it had before.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def __enter__(self) -> None:
        self._before = _here.deadline
        _here.deadline = min(self._end, self._before or self._end)

    def __exit__(self, *_: object) -> None:
        _here.deadline = self._before


def left() -> float | None:
    """Seconds until this thread's deadline, None without one."""
    end = _here.deadline
    return None if end is None else max(0.0, end - time.monotonic())


def server_limit() -> int:
    """Milliseconds, half of what is left here: a slow server can be told from a silent one.

    In steps, so that a session has to be told seldom.
    """
    limit = int(500 * (left() or 0))
    return max(1, limit - limit % 100 if limit > 100 else limit)


def wait(connection: Any) -> None:
    """psycopg2's wait callback: until the connection is ready, or the deadline."""
    if connection.status == extensions.STATUS_SETUP:
        # Failures to connect have no SQLSTATE of their own, but in libpq's verbose text they do.
        _libpq.PQsetErrorVerbosity(connection.pgconn_ptr, _VERBOSE)
    while (state := connection.poll()) != extensions.POLL_OK:
        poll = select.poll()  # select() can't watch descriptors above 1023
        reading = state == extensions.POLL_READ
        poll.register(connection.fileno(), select.POLLIN if reading else select.POLLOUT)
        seconds = left()
        with let_go():
            is_ready = poll.poll(None if seconds is None else math.ceil(1000 * seconds))
        if not is_ready:
            raise NoAnswer


def connect(dialect: Any, record: Any, _args: Any, parameters: Parameters) -> Any:
    """SQLAlchemy's ``do_connect``: the first host that can be written to."""
    wanted = {k: v for k, v in parameters.items() if k != "target_session_attrs"}  # done here
    failures: dict[object, list[ConnectFailed]] = {}
    targets = _targets(wanted)
    for number, target in enumerate(targets):
        seconds = left()
        with deadline(60 if seconds is None else seconds / (len(targets) - number)):
            try:
                return _ready(dialect, record, _connected(wanted, target))
            except psycopg2.Error as error:
                host = (target.get("host"), target.get("port"))
                failures.setdefault(host, []).append(connect_failures.of(error, wanted))
    # Outside of the handler, whose error may know the password.
    raise connect_failures.deciding(list(failures.values()))


def _connected(wanted: Parameters, target: Parameters) -> Any:
    if target.get("hostaddr") == "":
        raise ConnectFailed(failure_table.NO_ADDRESS, f"no address for {target['host']}")
    return psycopg2.connect(**wanted | target)


def _ready(dialect: Any, record: Any, connection: Any) -> Any:
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(_ABOUT)
        read_only, process = cursor.fetchone()
        if read_only:
            connection.close()
            raise ConnectFailed(failure_table.row_of(READ_ONLY, ""), pgcode=READ_ONLY)
        # A pooler invents the number that it tells a client: it has many servers for it.
        is_ours = process == connection.info.backend_pid
        if is_ours:
            cursor.execute(_PREPARE)
        record.info["session"] = Session(is_ours, _tells_timeline(dialect, cursor))
    return connection


def _tells_timeline(dialect: Any, cursor: Any) -> bool:
    """Whether `functions.timeline` can be asked for: not on Aurora, which raises 55000.

    Its value is not kept: behind a pooler the server may be another one at the next transaction.
    """
    try:
        cursor.execute(f"SELECT {TIMELINE}")
    except psycopg2.Error as error:
        if not (error.pgcode and _NO_TIMELINE.match(error.pgcode)):
            raise
        if dialect not in _told_of:
            _told_of.add(dialect)
            log.warning(
                "the database does not tell its timeline: after a failover that loses commits, a "
                "code that was used could be accepted again",
                extra={"reason": f"SQLSTATE {error.pgcode}"},
            )
        return False
    return True


def _targets(parameters: Parameters) -> list[Parameters]:
    """Where to connect to, in order. A host keeps its name, which TLS checks.

    A host without an address has an empty one.
    """
    hosts = str(parameters.get("host") or "").split(",")
    ports = str(parameters.get("port") or 5432).split(",")
    found: list[Parameters] = []
    for host, port in zip(hosts, ports * len(hosts) if len(ports) == 1 else ports, strict=False):
        here = {"host": host, "port": port or 5432} if host else {}
        if not host or host.startswith("/") or "hostaddr" in parameters:
            found.append(here)
        else:
            found += [here | {"hostaddr": address} for address in _resolve(host) or [""]]
    return found


def _resolve(host: str) -> list[str]:
    """Its addresses. The system's resolver knows no deadline, so that it runs aside."""
    if _is_address(host):
        return [host]  # and no thread, which a busy machine could be late to start
    found: list[str] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):  # the latter of a name that is none
            return
        found.extend(str(answer[4][0]) for answer in answers)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    seconds = left()
    asking.join(None if seconds is None else seconds / 2)
    return found[:_ADDRESSES_OF_A_HOST]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
