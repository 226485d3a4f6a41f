"""Old verifications: as many as wanted, as a month of use and nightly cleanups leave them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from bench.indexes import without_indexes
from bench.progress import say
from otp_service.storage.models.dialects import SCHEMA

BATCH = 200_000
STRIDE = 7919  # a prime: neighbours in time are strangers in the order of phones

# Of 100: 70 verified at the first try and 8 at the second, 17 expired after one wrong guess and 2
# after two, 3 failed by five. People come back 2 or 3 times. Ids are random, as the real ones.
_PHONE = "'+9198' || lpad((2 * (%(person)s + n * %(stride)s %% %(people)s))::text, 8, '0')"
_OLD = f"""
WITH old AS MATERIALIZED (
  SELECT n, 'p' || md5('verification' || n) AS id, {_PHONE} AS phone,
    CASE WHEN n %% 7 = 0 THEN 'signup' ELSE 'login' END AS purpose,
    CASE WHEN n %% 100 < 78 THEN 'verified' WHEN n %% 100 < 97 THEN 'expired' ELSE 'failed' END
      AS status,
    CASE WHEN n %% 100 < 70 THEN 1 WHEN n %% 100 < 78 THEN 2 WHEN n %% 100 < 95 THEN 1
      WHEN n %% 100 < 97 THEN 2 ELSE 5 END AS tries,
    now() - interval '30 days'
      + (n - %(first)s) * (interval '30 days' - interval '1 hour') / %(count)s AS created_at
  FROM generate_series(%(low)s::bigint, %(high)s - 1) AS n
), verifications AS (
  INSERT INTO {SCHEMA}.verifications (id, client, phone, purpose, channel, status, generation,
    oldest_generation, attempts, max_attempts, created_at, expires_at, verified_at, country)
  SELECT id, 'public', phone, purpose, 'whatsapp', status, 1, 1,
    tries - (status = 'verified')::int, 5, created_at, created_at + interval '3 minutes',
    CASE WHEN status = 'verified' THEN created_at + tries * interval '20 seconds' END, 'IN'
  FROM old
), codes AS (
  INSERT INTO {SCHEMA}.codes (verification_id, generation, mac, secret_id, expires_at)
  SELECT id, 1, md5('a' || n) || md5('b' || n), '5e5e5e5e', created_at + interval '3 minutes'
  FROM old
), deliveries AS (
  INSERT INTO {SCHEMA}.deliveries (id, verification_id, phone, generation, channel, provider,
    provider_message_id, status, created_at, submitted_at, prefix, address)
  SELECT md5('delivery' || n), id, phone, 1, 'whatsapp', 'gupshup', md5('m' || n)::uuid::text,
    'submitted', created_at, created_at + interval '0.4 seconds',
    left(phone, -4), md5('address' || n %% 100000) || md5('of' || n %% 100000)
  FROM old
), audit AS (
  INSERT INTO {SCHEMA}.audit (at, actor, action, verification_id, phone, phone_digest)
  SELECT created_at, 'public', 'verification.started', id, '+91****' || right(phone, 4),
    md5(phone) || md5('digest of ' || phone)
  FROM old ORDER BY n
)
INSERT INTO {SCHEMA}.attempts (id, verification_id, phone, correct, created_at)
SELECT md5('attempt' || n || '-' || try), id, phone, status = 'verified' AND try = tries,
  created_at + try * interval '20 seconds'
FROM old, generate_series(1, tries) AS try
"""

_PHONES = f"""
INSERT INTO {SCHEMA}.phones (phone, failures, updated_at)
SELECT {_PHONE}, 1, now() - interval '1 day'
FROM generate_series(%(first)s::bigint, %(stop)s - 1) AS n WHERE n %% 100 >= 78 GROUP BY 1
"""
"""Of whoever guessed wrong last, once: while there are no indexes nothing else sees to that."""


def fill(engine: sa.Engine, rows: range) -> None:
    """Add the old verifications with these numbers, and leave the tables as days of use would."""
    with engine.connect() as connection:
        connection.exec_driver_sql("SET synchronous_commit = off")
        connection.exec_driver_sql("SET maintenance_work_mem = '512MB'")
        with without_indexes(connection):
            _insert(connection, rows)
        say("  VACUUM ANALYZE, CHECKPOINT")
        connection.exec_driver_sql("VACUUM ANALYZE")
        connection.exec_driver_sql("CHECKPOINT")
        _read_files(connection)
        connection.invalidate()  # nobody else gets a connection with these settings


def phones(rows: range) -> Iterator[str]:
    """Numbers for new calls: in turn one that `fill` used 2 or 3 times, and its new neighbour."""
    people = _people(rows)
    for n in range(len(people)):
        known = 2 * (people.start + n * STRIDE % len(people))
        yield from (f"+9198{known:08}", f"+9198{known + 1:08}")


def _people(rows: range) -> range:
    return range(rows.start * 2 // 5, rows.stop * 2 // 5)


def _insert(connection: sa.Connection, rows: range) -> None:
    people = _people(rows)
    values = {"person": people.start, "people": len(people), "stride": STRIDE}
    values |= {"first": rows.start, "count": len(rows), "stop": rows.stop}
    began = time.monotonic()
    for low in range(rows.start, rows.stop, BATCH):
        high = min(low + BATCH, rows.stop)
        connection.exec_driver_sql(_OLD, values | {"low": low, "high": high})
        say(f"  {high:,} old verifications after {time.monotonic() - began:.0f} s")
    connection.exec_driver_sql(_PHONES, values)


def _read_files(connection: sa.Connection) -> None:
    """Have all of the database in the system's cache, as far as it fits, as after days of use.

    What a bulk load leaves there is chance, and pages that come from the disk would be taken for
    growth. Does nothing where the server's files are another machine's.
    """
    say("  reading all of it once")
    folder = Path(str(connection.exec_driver_sql("SHOW data_directory").scalar_one()))
    for path in folder.glob("base/*/*"):
        with suppress(OSError), path.open("rb") as file:
            while file.read(2**20):
                pass
