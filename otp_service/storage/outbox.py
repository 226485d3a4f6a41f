"""The domain's `Outbox` and `Receipts`, over all homes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from otp_service.domain.errors import StorageUnavailable
from otp_service.domain.messages import Outgoing, Receipt
from otp_service.domain.verification import Price
from otp_service.storage.db.database import Database
from otp_service.storage.sql import (
    apply_receipts,
    follow,
    oldest_due,
    outbox,
    receipt_batch,
    receipts,
    rows,
)
from otp_service.storage.sql.receipt_batch import Waiting

OnPrice = Callable[[str, Price], object]


class Messages:
    """``databases``: the primary home first, then the fallback, if there is one."""

    def __init__(self, *databases: Database) -> None:
        self._databases = databases
        homes = {database.letter: database for database in databases}
        self.submitted = partial(outbox.submitted, homes)
        self.postpone = partial(outbox.postpone, homes)
        self.hand_over = partial(outbox.hand_over, homes)
        self.close = partial(outbox.close, homes)
        self.refused = partial(follow.refused, homes)
        self.follow = partial(follow.follow, homes)
        self.oldest_due = oldest_due.ages

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
        receipts.keep(self._databases, kept)

    def settle(
        self,
        count: int,
        look_in: Callable[[Receipt], float],
        on_price: OnPrice = lambda provider, price: None,
    ) -> int:
        settled = 0
        for home in self._homes():
            with suppress(StorageUnavailable):
                waiting = receipts.take(home, count, look_in)
                if waiting:
                    self._settle(home, waiting, on_price)
                settled += len(waiting)
        return settled

    def _settle(self, home: Database, waiting: Sequence[Waiting], on_price: OnPrice) -> None:
        """In the home that the receipts are in; what is not found there, in the other one."""
        applied, left = _apply(home, waiting, on_price)
        for other in self._homes():
            if left and other is not home:
                here, left = _apply(other, left, on_price)
                applied += here
        receipts.done(home, applied, left)


def _apply(
    home: Database, waiting: Sequence[Waiting], on_price: OnPrice
) -> tuple[list[Waiting], list[Waiting]]:
    """Those that tell of a delivery in this home, and the others."""
    found = apply_receipts.find(home, waiting)
    numbers: set[int] = set()
    if found:
        batch = receipt_batch.merged((row.id, waiting[row.number]) for row in found)
        done = apply_receipts.apply(home, batch)
        news = done - {row.id for row in found if row.priced}
        for each in batch:
            if each["id"] in news and (price := rows.price(each)):
                on_price(each["provider"], price)
        numbers = {row.number for row in found if row.id in done}
    applied = [each for number, each in enumerate(waiting) if number in numbers]
    return applied, [each for number, each in enumerate(waiting) if number not in numbers]
