"""A database whose transactions are spans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from otp_service.storage.db.answer import Row
from otp_service.storage.db.database import Database
from otp_service.storage.db.transaction import Transaction

if TYPE_CHECKING:
    from otp_service.observability.tracing import Tracing


class TracedDatabase(Database):
    """Each of them is named after its operation. ``home`` is primary or fallback."""

    def __init__(self, engine: sa.Engine, tracing: Tracing, home: str) -> None:
        super().__init__(engine)
        self._tracing = tracing
        self._facts = {"db.system.name": engine.dialect.name, "otp.home": home}

    def run(self, transaction: Transaction, **values: object) -> Sequence[Row]:
        facts = {**self._facts, "db.operation.name": transaction.name}
        with self._tracing.call(transaction.name, facts):
            return super().run(transaction, **values)
