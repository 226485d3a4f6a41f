"""The domain's `Outbox` and `Receipts`, over all homes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import sqlalchemy as sa

from otp_service.domain.errors import StorageUnavailable
from otp_service.domain.messages import Outgoing, Receipt
from otp_service.domain.verification import Price
from otp_service.storage.db.database import Database, keep_in_first
from otp_service.storage.sql import follow, outbox, receipt_batch, receipts, rows
from otp_service.storage.sql.json_rows import as_json
from otp_service.storage.sql.receipt_batch import Waiting

OnPrice = Callable[[str, Price], object]


class Messages:
    """``databases``: the primary home first, then the fallback, if there is one."""

    def __init__(self, *databases: Database) -> None:
        self._databases = databases
        homes = {database.letter: database for database in databases}
        self.submitted = partial(outbox.submitted, homes)
        self.postpone = partial(outbox.postpone, homes)
        self.close = partial(outbox.close, homes)
        self.refused = partial(follow.refused, homes)
        self.follow = partial(follow.follow, homes)

    def _homes(self) -> Iterator[Database]:
        """Those that are not known to be down."""
        return (home for home in self._databases if not home.is_down)

    def take(self, count: int) -> list[Outgoing]:
        taken: list[Outgoing] = []
        for home in self._homes():
            with suppress(StorageUnavailable):  # the other one goes on
                taken += outbox.take(home, count)
        return taken

    def keep(self, kept: Sequence[Receipt]) -> None:
        """All of them in one transaction, in the first home that can be reached."""
        told = as_json(receipt_batch.kept(receipt, secrets.token_hex(16)) for receipt in kept)
        keep_in_first(self._databases, receipts.KEEP, receipts=told)

    def settle(
        self,
        count: int,
        look_in: Callable[[Receipt], float],
        on_price: OnPrice = lambda provider, price: None,
    ) -> int:
        settled = 0
        for home in self._homes():
            with suppress(StorageUnavailable):
                waiting = [_waiting(row, look_in) for row in home.run(receipts.TAKE, count=count)]
                if waiting:
                    self._settle(home, waiting, on_price)
                settled += len(waiting)
        return settled

    def _settle(self, home: Database, waiting: Sequence[Waiting], on_price: OnPrice) -> None:
        """In the home that the receipts are in; what is not found there, in the other one."""
        applied, left = self._apply(home, waiting, on_price)
        for other in self._homes():
            if left and other is not home:
                here, left = self._apply(other, left, on_price)
                applied += here
        home.run(
            receipts.DONE,
            applied=as_json({"id": each.id} for each in applied),
            waiting=as_json({"id": each.id, "again_in": max(1.0, each.age / 2)} for each in left),
        )

    def _apply(
        self, home: Database, waiting: Sequence[Waiting], on_price: OnPrice
    ) -> tuple[list[Waiting], list[Waiting]]:
        """Those that tell of a delivery in this home, and the others."""
        found = home.run(receipts.FIND, told=as_json(receipt_batch.keys(waiting)))
        numbers: set[int] = set()
        if found:
            of_deliveries = receipt_batch.told((row.id, waiting[row.number]) for row in found)
            done = {row.id for row in home.run(receipts.APPLY, told=as_json(of_deliveries))}
            news = done - {row.id for row in found if row.priced}
            for each in of_deliveries:
                if each["id"] in news and (price := rows.price(each)):
                    on_price(each["provider"], price)
            numbers = {row.number for row in found if row.id in done}
        applied = [each for number, each in enumerate(waiting) if number in numbers]
        return applied, [each for number, each in enumerate(waiting) if number not in numbers]


def _waiting(row: sa.Row[Any], look_in: Callable[[Receipt], float]) -> Waiting:
    receipt = receipt_batch.receipt(row)
    age = (row.as_of - row.created_at).total_seconds()
    return Waiting(row.id, receipt, age, look_in(receipt))
