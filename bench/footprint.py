"""What a send and its check write, and what stays of them: ``python -m bench.footprint``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path

import sqlalchemy as sa

from bench import command, filling, postgres
from bench.growth import app_on
from bench.progress import say
from otp_service.domain.errors import CodeIncorrect
from otp_service.domain.messages import Receipt
from otp_service.domain.service import OtpService
from otp_service.domain.verification import DeliveryStatus, Person
from otp_service.storage import retention, schema
from otp_service.storage.db.database import Database
from otp_service.storage.models.dialects import SCHEMA
from otp_service.storage.outbox import Messages

WEBHOOK = 20  # receipts that are told, and applied, at once
RIGHT = 78  # of 100 codes
_HEAD = "| for each send | bytes of log | commits | pages written |\n|---|---|---|---|"
_KEPT = "| table | rows for each send | bytes | of its indexes | all |\n|---|---|---|---|---|"
_WRITTEN = """
SELECT pg_current_wal_lsn() - '0/0',
  (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()),
  (SELECT sum(writes) FROM pg_stat_io WHERE object = 'relation')
"""
_SIZES = f"""
SELECT relname, n_live_tup, pg_table_size(relid), pg_indexes_size(relid)
FROM pg_stat_user_tables WHERE schemaname = '{SCHEMA}' ORDER BY relname
"""
_SENT = f"""
SELECT provider, provider_message_id FROM {SCHEMA}.deliveries
WHERE created_at > now() - interval '50 minutes'
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.footprint",
        description="Measure what sends, their checks, their receipts and the cleanup write to "
        "Postgres 16 or later, and how many bytes stay. On a Postgres of its own, with a full "
        "flush for each commit, this takes some minutes.",
    )
    parser.add_argument("--sends", type=int, default=5000)
    parser.add_argument("--old", type=int, default=0, help="verifications that are there before")
    parser.add_argument("--database", metavar="URL", help="a Postgres to make a database in")
    options = parser.parse_args()
    return command.exit_code(lambda: _measured(options))


def _measured(options: argparse.Namespace) -> Sequence[str]:
    old, count = options.old, options.sends
    with ExitStack() as stack:
        server = options.database or stack.enter_context(postgres.own_server(old + count))
        engine = stack.enter_context(postgres.database(server, "otp_bench_footprint"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        schema.upgrade(engine)
        if old:
            filling.fill(engine, range(old))
        app = app_on(engine, folder, OTP_CLIENT_REQUESTS="100000/1s", OTP_EXPIRY_MINUTES="10")
        _Footprint(engine, app.extensions["otp_service"].service, range(old, old + count)).measure()
    return []


class _Footprint:
    """Of so many sends by one thread, a kind of work after the other."""

    def __init__(self, engine: sa.Engine, service: OtpService, rows: range) -> None:
        self._engine = engine
        self._service = service
        self._count = len(rows)
        phones = filling.phones(range(rows.start, rows.start + 10 * self._count))
        self._people = [Person("public", phone, "login") for phone in islice(phones, self._count)]
        self._before = self._sizes()
        self._codes: list[str] = []

    def measure(self) -> None:
        print(_HEAD)
        self._written("the send", self._send)
        self._written("the check", self._check)
        self._written("two receipts", self._tell)
        self._kept()
        print(f"\n{_HEAD}")
        self._written("forgetting it", self._forget)

    def _send(self) -> None:
        for person in self._people:
            code = self._service.send(person).exposed_code
            assert code
            self._codes.append(code)

    def _check(self) -> None:
        for number, (person, code) in enumerate(zip(self._people, self._codes, strict=True)):
            wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
            with suppress(CodeIncorrect):
                self._service.verify(person, code if number % 100 < RIGHT else wrong)

    def _tell(self) -> None:
        """What the worker does too: each webhook is applied before the next."""
        messages = Messages(Database(self._engine))
        with self._engine.connect() as connection:
            ids = [(row[0], row[1]) for row in connection.exec_driver_sql(_SENT)]
        for status in (DeliveryStatus.SENT, DeliveryStatus.DELIVERED):
            for start in range(0, len(ids), WEBHOOK):
                now = datetime.now(timezone.utc)
                some = ids[start : start + WEBHOOK]
                messages.keep([Receipt(*each, status, now) for each in some])
                messages.settle(WEBHOOK, lambda _: 0.0)

    def _forget(self) -> int:
        """A day of the old ones, which `filling` has spread over 30; or all that was sent."""
        days = 29 if self._before["verifications"][0] else -1
        return retention.cleanup(self._engine, days)[1]

    def _written(self, what: str, work: Callable[[], int | None]) -> None:
        say(f"{what}, {self._count:,} times")
        before = self._counters()
        count = work() or self._count
        found = [now - then for now, then in zip(self._counters(), before, strict=True)]
        figures = " | ".join(f"{each / count:,.2f}" for each in found)
        print(f"| {what} | {figures} |", flush=True)

    def _counters(self) -> list[float]:
        """Behind a checkpoint: what was changed is on the disk, and pages are whole in the log."""
        self._engine.dispose()  # a backend that ends has told all of its counters
        with self._engine.connect() as connection:
            connection.exec_driver_sql("CHECKPOINT")
            connection.exec_driver_sql("SELECT pg_sleep(1)")
            return [float(each) for each in connection.exec_driver_sql(_WRITTEN).one()]

    def _sizes(self) -> dict[str, tuple[int, int, int]]:
        with self._engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE")
            return {row[0]: (row[1], row[2], row[3]) for row in connection.exec_driver_sql(_SIZES)}

    def _kept(self) -> None:
        print(
            "\n| table | rows for each send | bytes | of its indexes | all |\n|---|---|---|---|---|"
        )
        for name, after in self._sizes().items():
            pairs = zip(after, self._before[name], strict=True)
            rows, table, indexes = ((now - then) / self._count for now, then in pairs)
            if rows > 0 or table > 1:
                sizes = f"{table:,.0f} | {indexes:,.0f} | {table + indexes:,.0f}"
                print(f"| {name} | {rows:.2f} | {sizes} |")


if __name__ == "__main__":
    sys.exit(main())
