"""A real Postgres that does not do what it says: what other engines may be like."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from otp_service.storage.models.dialects import SCHEMA
from tests.faults.cluster import Cluster
from tests.faults.proxy import Proxy

LOCK, TRY = "pg_advisory_xact_lock(key bigint)", "pg_try_advisory_xact_lock(key bigint)"
FUNCTIONS = {
    "no lock is one": {
        f"{LOCK} RETURNS void": "SELECT",
        f"{TRY} RETURNS boolean": "SELECT true",
    },
    "a lock is one for who tries, and nobody waits": {
        f"{LOCK} RETURNS void": "SELECT pg_catalog.pg_try_advisory_xact_lock(key)",
    },
    "who tries always has it": {
        f"{TRY} RETURNS boolean": "SELECT true",
    },
    "who tries never gets it": {
        f"{TRY} RETURNS boolean": "SELECT false",
    },
}
"""By name: functions that are found before Postgres's own, and what they do instead."""


WORDS = {
    "a snapshot for a transaction": [
        (b"'read committed'", b"'repeatable read'"),
        (b"ISOLATION LEVEL READ COMMITTED", b"ISOLATION LEVEL REPEATABLE READ"),
    ],
    "a transaction for a statement": [
        (b"SELECT set_config('statement_timeout'", b"COMMIT; SELECT set_config('statement_timeout'")
    ],
    "SKIP LOCKED skips nothing": [(b"FOR UPDATE SKIP LOCKED", b"")],
    "SKIP LOCKED skips what is free": [(b"FOR UPDATE SKIP LOCKED", b"LIMIT 0")],
    "a row is not locked": [
        (b"SET unlocked_at=NULL WHERE", b"SET unlocked_at=NULL WHERE false AND")
    ],
    "a condition is not looked at again": [
        (b"unlocked_at IS NOT NULL RETURNING", b"failures = 0 RETURNING")
    ],
}
"""By name: words that never arrive, and those that do in their place."""


@contextmanager
def lying(cluster: Cluster, proxy: Proxy, name: str) -> Iterator[None]:
    """Who connects to the proxy in this block, without a session yet, meets that liar."""
    for words, others in WORDS.get(name, ()):
        proxy.put(others, instead_of=words)
    with _shadowed(cluster, FUNCTIONS.get(name, {})):
        cluster.end_sessions()
        yield


@contextmanager
def _shadowed(cluster: Cluster, functions: dict[str, str]) -> Iterator[None]:
    cluster.sql("CREATE SCHEMA lies")
    for function, instead in functions.items():
        cluster.sql(f"CREATE FUNCTION lies.{function} LANGUAGE sql VOLATILE AS $$ {instead} $$")
    cluster.sql(f"ALTER DATABASE postgres SET search_path = lies, pg_catalog, {SCHEMA}")
    try:
        yield
    finally:
        cluster.sql("ALTER DATABASE postgres RESET search_path")
        cluster.sql("DROP SCHEMA lies CASCADE")
