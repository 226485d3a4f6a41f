"""The domain's `Outbox` and `Receipts`, over all homes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from otp_service.domain.errors import DeliveryError, HomeUnreachable, StorageUnavailable
from otp_service.domain.failures import FAILURES
from otp_service.domain.messages import Outgoing, Receipt
from otp_service.domain.verification import Channel, DeliveryStatus
from otp_service.storage import outbox, receipts, rows
from otp_service.storage.database import Database
from otp_service.storage.transaction import Transaction


class Messages:
    """``databases``: the primary home first, then the fallback, if there is one."""

    def __init__(self, *databases: Database) -> None:
        self._databases = databases

    def _run(self, message: Outgoing, transaction: Transaction, **values: object) -> rows.Rows:
        """In the message's home."""
        letter = message.verification_id[0]
        homes = [home for home in self._databases if home.letter == letter]
        return (homes or self._databases)[0].run(
            transaction,
            **{
                "id": message.verification_id,
                "delivery_id": message.delivery_id,
                "generation": message.generation,
                "phone": message.phone,
                "lease": message.lease,
                **values,
            },
        )

    def _homes(self) -> Iterator[Database]:
        """Those that are not known to be down."""
        return (home for home in self._databases if not home.is_down)

    def submitted(
        self, message: Outgoing, provider_message_id: str, grace: int, due_in: float | None
    ) -> None:
        self._run(
            message,
            outbox.SUBMITTED,
            provider_message_id=provider_message_id,
            supersede=message.generation - grace,
            due_in=due_in,
        )

    def postpone(self, message: Outgoing, error: DeliveryError, due_in: float | None) -> None:
        self._run(message, outbox.POSTPONE, **_why(error), due_in=due_in)

    def refused(self, message: Outgoing, error: DeliveryError) -> None:
        self._run(message, outbox.REFUSED, **_why(error))

    def close(self, message: Outgoing) -> None:
        self._run(message, outbox.CLOSE)

    def follow(
        self,
        message: Outgoing,
        channel: Channel,
        provider: str,
        error: DeliveryError | None = None,
        due_in: float | None = None,
    ) -> Outgoing | None:
        lease = message.lease if due_in is None else None
        following = replace(
            message,
            delivery_id=secrets.token_hex(16),
            channel=channel,
            provider=provider,
            auto=message.auto and channel is not Channel.SMS,
            status=DeliveryStatus.QUEUED,
            error_code=None,
            lease=lease,
        )
        stored = self._run(
            message,
            outbox.FOLLOW,
            new_id=following.delivery_id,
            new_lease=lease,
            channel=channel.value,
            provider=provider,
            auto=following.auto,
            due_in=outbox.LEASE if lease else due_in,
            **_why(error),
        )
        return replace(following, tries=stored[0].tries or 0) if stored else None

    def take(self, count: int) -> list[Outgoing]:
        taken: list[Outgoing] = []
        for home in self._homes():
            with suppress(StorageUnavailable):  # the other one goes on
                found = home.run(outbox.TAKE, count=count, lease=secrets.token_hex(8))
                taken += map(rows.outgoing, found)
        return taken

    def keep(self, kept: Sequence[Receipt]) -> None:
        """In the first home that can be reached."""
        for receipt in kept:
            values = _values(receipt) | {"id": secrets.token_hex(16)}
            try:
                self._databases[0].run(receipts.KEEP, **values)
            except HomeUnreachable:
                if len(self._databases) == 1:
                    raise
                self._databases[-1].run(receipts.KEEP, **values)

    def settle(self, count: int, look_in: Callable[[Receipt], float]) -> int:
        settled = 0
        for home in self._homes():
            with suppress(StorageUnavailable):
                for row in home.run(receipts.TAKE, count=count):
                    self._settle(home, row, look_in)
                    settled += 1
        return settled

    def _settle(
        self, home: Database, row: sa.Row[Any], look_in: Callable[[Receipt], float]
    ) -> None:
        receipt = _receipt(row)
        age = (row.as_of - row.created_at).total_seconds()
        values = _values(receipt) | {
            "id": row.id,
            "look_in": look_in(receipt),
            "again_in": max(1.0, age / 2),
        }
        if home.run(receipts.APPLY, **values)[0].found:
            return
        for other in self._homes():
            if other is not home and other.run(receipts.APPLY, **values)[0].found:
                home.run(receipts.DROP, id=row.id)


def _why(error: DeliveryError | None) -> dict[str, str | None]:
    code, reason = (error.failure.code, error.reason) if error else (None, None)
    return {"error_code": code, "reason": reason}


def _values(receipt: Receipt) -> dict[str, object]:
    return {
        "provider": receipt.provider,
        "provider_message_id": receipt.message_id,
        "delivery_id": receipt.delivery_id,
        "status": receipt.status.value,
        "at": receipt.at,
        "error_code": receipt.failure and receipt.failure.code,
        "reason": receipt.reason or None,
    }


def _receipt(row: sa.Row[Any]) -> Receipt:
    return Receipt(
        provider=row.provider,
        message_id=row.provider_message_id,
        status=DeliveryStatus(row.status),
        at=row.at,
        failure=FAILURES.get(row.error_code or ""),
        reason=row.reason or "",
        delivery_id=row.delivery_id,
    )
