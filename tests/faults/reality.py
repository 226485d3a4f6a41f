"""The world that `Promise` is held against: two real databases, a network, a provider."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from datetime import datetime, timedelta

import sqlalchemy as sa

from otp_service.domain import codes
from otp_service.domain.codes import Codes, Secret
from otp_service.domain.dispatch import Dispatch
from otp_service.domain.limits import Limits
from otp_service.domain.messages import Message
from otp_service.domain.policy import Policy
from otp_service.domain.sending import Sending
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Channel, Person
from otp_service.storage import schema
from otp_service.storage.db import engine as engines
from otp_service.storage.db.database import Database
from otp_service.storage.homes import Homes
from otp_service.storage.models.base import db
from otp_service.storage.outbox import Messages
from otp_service.storage.verifications import Operations, SqlStore
from tests.fakes import FakeSender
from tests.faults.cluster import Cluster
from tests.faults.model import GUESSES, LIFETIME, Broken, Crash
from tests.faults.proxy import Proxy
from tests.faults.queries import Rows, connect, run

POLICY = Policy(LIFETIME, GUESSES, grace=0, expose_code=False, test_numbers=frozenset())
CODES = Codes([Secret(b"k" * 32)], 10)  # so long that nobody guesses one by chance
APART = ("api_keys", "signing_keys", "audit")  # they hold no times that a limit looks at
TABLES = [table for table in db.metadata.tables.values() if table.name not in APART]
STORED = (
    "SELECT v.id, client, phone, purpose, mac"
    " FROM {}verifications v JOIN {}codes c ON v.id = verification_id"
)
JUDGED = (
    "SELECT verification_id, detail, count(*) FROM {}audit"
    " WHERE action = 'verification.checked' GROUP BY verification_id, detail"
)


class Reality(FakeSender):
    """The world of `Promise`, and the provider in it. It looks at the databases past the proxy."""

    def __init__(self, cluster: Cluster, proxy: Proxy, urls: dict[str, str]) -> None:
        super().__init__()
        self.proxy, self.crash, self.homes = proxy, "", Homes
        self._threads = set(threading.enumerate())
        self._engines = [[_engine(url) for url in urls.values()] for _ in range(2)]
        for engine in self._engines[0]:
            schema.upgrade(engine)
        # What a store is made of takes a while, and is the same in each process.
        self._stores = [
            [SqlStore(Database(engine), Operations.under(Limits(), 1)) for engine in of]
            for of in self._engines
        ]
        self._postgres = connect(cluster.port)
        file = str(self._engines[0][1].url.database)
        self._sqlite = sqlite3.connect(file, isolation_level=None)
        for statement in ("foreign_keys=ON", "synchronous=OFF"):
            self._sqlite.execute(f"PRAGMA {statement}")

    def start(self, process: int) -> OtpService:
        """Nothing of the one before is left: neither its connections nor what it knew of them."""
        stores = []
        for store in self._stores[process]:
            store.database.engine.dispose()
            stores.append(SqlStore(Database(store.database.engine), store.operations))
        messages = Messages(*(store.database for store in stores))
        dispatch = Dispatch(messages, CODES, {Channel.WHATSAPP: [self]}, self, POLICY)
        sending = Sending(dispatch, messages, CODES, POLICY)
        return OtpService(self.homes(*stores), sending, CODES, POLICY)

    def settle(self) -> None:
        """Return when every circuit that was open has been closed by its probe."""
        for thread in set(threading.enumerate()) - self._threads:
            if thread.name == "database-probe":
                thread.join()

    def send(self, message: Message) -> str:
        """Nothing is sent that is not stored."""
        if not any(_is_of(row, message.code) for row in self._both(STORED)):
            raise Broken("a message was sent whose code is not stored")
        if self.crash == "before":
            raise Crash
        message_id = super().send(message)
        if self.crash:
            raise Crash
        return message_id

    def sent(self) -> list[str]:
        return [message.code for message in self.messages]

    def pass_time(self, seconds: int) -> None:
        """Move every row of both databases into the past."""
        self._sqlite.create_function("sooner", 1, lambda time: _sooner(time, seconds))
        for table in TABLES:
            names = [c.name for c in table.c if c.name.endswith("_at")]
            sooner = ", ".join(f"{n} = {n} - interval '{seconds} seconds'" for n in names)
            run(self._postgres, f"UPDATE otp_service.{table.name} SET {sooner}")
            sooner = ", ".join(f"{n} = sooner({n})" for n in names)
            self._sqlite.execute(f"UPDATE {table.name} SET {sooner}")

    def purge(self) -> None:
        self._stores[0][1].purge()

    def oldest_generation(self, case: str) -> int:
        (found,) = run(
            self._postgres,
            f"SELECT oldest_generation FROM otp_service.verifications WHERE id = '{case}'",
        )
        return int(found[0])

    def judged(self) -> dict[str, tuple[int, int]]:
        """Of each verification, how many wrong and right codes were judged, in both homes."""
        counts: Counter[tuple[str, str]] = Counter()
        for of, found, count in self._both(JUDGED):
            counts[of, found] += count
        return {of: (counts[of, "wrong"], counts[of, "right"]) for of, _ in counts}

    def end(self) -> None:
        """Ready for the next sequence."""
        self.proxy.heal()
        self.settle()
        self.messages.clear()
        for table in ("verifications", "phones"):
            self._both(f"DELETE FROM {{}}{table}")

    def close(self) -> None:
        self._postgres.close()
        self._sqlite.close()
        for of in self._engines:
            for engine in of:
                engine.dispose()

    def _both(self, statement: str) -> Rows:
        found = run(self._postgres, statement.format("otp_service.", "otp_service."))
        return found + self._sqlite.execute(statement.format("", "")).fetchall()


def _is_of(row: tuple[str, ...], code: str) -> bool:
    id_, *person, mac = row
    return codes.bind(id_, CODES.tags(Person(*person), code)[0]) == mac


def _engine(url: str) -> sa.Engine:
    engine = sa.create_engine(url, **engines.options(url, 2))
    engines.prepare(engine)
    return engine


def _sooner(time: str | None, seconds: int) -> str | None:
    if time is None:
        return None
    return (datetime.fromisoformat(time) - timedelta(seconds=seconds)).strftime(
        "%Y-%m-%d %H:%M:%S.%f"
    )
