"""From rows to the domain's values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from otp_service.domain.limits import Limit
from otp_service.domain.ports import Quota, StoredMessage
from otp_service.domain.verification import (
    Channel,
    Delivery,
    DeliveryStatus,
    Status,
    Verification,
)

_VERIFICATION = [field.name for field in fields(Verification) if field.name != "deliveries"]
_DELIVERY = [field.name for field in fields(Delivery)]
Rows = Sequence[sa.Row[Any]]


def verification(row: sa.Row[Any]) -> Verification:
    values = {name: getattr(row, name) for name in _VERIFICATION}
    values["status"] = Status(row.status)
    values["channel"] = Channel(row.channel)
    if row.status == Status.PENDING.value and row.expires_at <= row.as_of:
        values["status"] = Status.EXPIRED
    elif row.status == Status.PENDING.value and not row.same_timeline:
        values["status"] = Status.CANCELED
    return Verification(**values)


def delivery(row: sa.Row[Any]) -> Delivery:
    values = {name: getattr(row, f"delivery_{name}") for name in _DELIVERY}
    values["status"] = DeliveryStatus(row.delivery_status)
    values["channel"] = Channel(row.delivery_channel)
    return Delivery(**values)


def message(row: sa.Row[Any]) -> StoredMessage:
    return StoredMessage(
        verification(row),
        delivery(row),
        secret_id=row.secret_id,
        expires_at=row.code_expires_at,
        replaced=row.delivery_generation < row.oldest_generation,
    )


def first(rows: Rows) -> Verification | None:
    return verification(rows[0]) if rows else None


def with_deliveries(rows: Rows) -> Verification | None:
    """One verification from rows that repeat it for each of its deliveries."""
    if not rows:
        return None
    deliveries = tuple(delivery(row) for row in rows if row.delivery_id)
    return replace(verification(rows[0]), deliveries=deliveries)


def quota(row: sa.Row[Any], limits: Sequence[Limit]) -> tuple[Quota, Limit | None]:
    """What `rules.facts` says of ``limits``; and of those that are met the longest, if any."""
    remaining, wait, met = limits[0].count, 0, None
    for number, limit in enumerate(limits):
        remaining = min(remaining, limit.count - getattr(row, f"used_{number}"))
        full_since = getattr(row, f"full_since_{number}")
        if full_since is not None:
            ends = full_since + timedelta(seconds=limit.seconds) - row.as_of
            if (seconds := max(1, math.ceil(ends.total_seconds()))) > wait:
                wait, met = seconds, limit
    return Quota(max(0, remaining), wait), met
