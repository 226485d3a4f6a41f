"""From rows to the domain's values, and from a request to a statement's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from otp_service.domain.drafts import RequestKey
from otp_service.domain.errors import RequestLimitExceeded
from otp_service.domain.limits import Limit, seconds_until
from otp_service.domain.messages import Outgoing
from otp_service.domain.phone import mask
from otp_service.domain.ports import StoredMessage
from otp_service.domain.quotas import Block, Quota
from otp_service.domain.verification import (
    Channel,
    Delivery,
    DeliveryStatus,
    Person,
    Price,
    RelayedMessage,
    Status,
    Verification,
)
from otp_service.storage.db.answer import Row
from otp_service.storage.sql.conditions import RELAYED
from otp_service.storage.sql.limits import COUNTED_DOWN, Used

_VERIFICATION = [
    field.name for field in fields(Verification) if field.name not in ("deliveries", "repeated")
]
_columns = attrgetter(*_VERIFICATION)
_STATUSES = {each.value: each for each in Status}  # quicker than to call it
_STATUSES[RELAYED] = Status.PENDING  # until it expires, for who shows it among verifications
_CHANNELS = {each.value: each for each in Channel}
_STATUS, _CHANNEL = map(_VERIFICATION.index, ("status", "channel"))
_DELIVERY = [field.name for field in fields(Delivery) if field.name != "price"]
PRICE = [field.name for field in fields(Price)]
Rows = Sequence[Row]


def verification(row: Row, *, repeated: bool = False) -> Verification:
    values = [*_columns(row), (), repeated]
    values[_STATUS], values[_CHANNEL] = _status(row), _CHANNELS[row.channel]
    return Verification(*values)


def _status(row: Row) -> Status:
    """Where it stands now: what ends by itself, nobody writes down."""
    stored = _STATUSES[row.status]
    if stored is not Status.PENDING:
        return stored
    if row.expires_at <= row.as_of:
        return Status.EXPIRED
    return Status.PENDING if row.same_timeline else Status.CANCELED


def delivery(row: Row) -> Delivery:
    values = {name: getattr(row, f"delivery_{name}") for name in _DELIVERY}
    values["status"] = DeliveryStatus(row.delivery_status)
    values["channel"] = Channel(row.delivery_channel)
    return Delivery(**values, price=price(row._asdict(), "delivery_price_"))


def price(columns: Mapping[str, Any], prefix: str = "price_") -> Price | None:
    """None if nothing was told of it."""
    price = Price(**{name: columns.get(f"{prefix}{name}") for name in PRICE})
    return price if price != Price() else None


def outgoing(row: Row) -> Outgoing:
    """A message that a worker has taken: it may be one whose code was voided since."""
    left = (row.expires_at - row.as_of).total_seconds() if row.expires_at else 0
    return Outgoing(
        verification_id=row.verification_id,
        delivery_id=row.id,
        phone=row.phone,
        generation=row.generation,
        secret_id=row.secret_id or "",
        channel=Channel(row.channel),
        provider=row.provider,
        locale=row.locale,
        expires_in=max(0, math.ceil(left)),
        auto=bool(row.auto),
        tries=row.tries or 0,
        status=DeliveryStatus(row.status),
        error_code=row.error_code,
        is_current=bool(row.current),
        lease=row.lease,
        sealed=row.sealed,
    )


def message(row: Row) -> StoredMessage:
    return StoredMessage(
        verification(row),
        delivery(row),
        secret_id=row.secret_id,
        expires_at=row.delivery_expires_at,
        replaced=row.delivery_generation < row.oldest_generation,
        mac=row.mac,
        sealed=row.sealed,
    )


def with_deliveries(rows: Rows) -> Verification | None:
    """One verification from rows that repeat it for each of its deliveries."""
    if not rows or rows[0].id is None:
        return None
    deliveries = tuple(delivery(row) for row in rows if row.delivery_id)
    return replace(verification(rows[0]), deliveries=deliveries)


def relayed(rows: Rows) -> RelayedMessage | None:
    """The same of a code that somebody else made."""
    if (its := with_deliveries(rows)) is None:
        return None
    return RelayedMessage(
        id=its.id,
        client=its.client,
        phone=its.phone,
        purpose=its.purpose,
        channel=its.channel,
        created_at=its.created_at,
        expires_at=its.expires_at,
        as_of=its.as_of,
        deliveries=its.deliveries,
    )


def all_with_deliveries(rows: Rows) -> list[Verification]:
    """The same of several verifications, whose rows are together."""
    found = (with_deliveries(list(each)) for _, each in groupby(rows, lambda row: row.id))
    return [each for each in found if each]


def quota(as_of: datetime, used: Iterable[Used]) -> tuple[Quota, Limit | None]:
    """What the limits leave, by how much of them is ``used``; and the one that is met the longest,
    if any.
    """
    left, met, until = [], None, None
    for limit, events, full_since in used:
        if limit.name in COUNTED_DOWN:
            left.append(limit.count - events)
        if full_since is not None:
            ends = limit.ends_at(full_since)
            if until is None or ends > until:
                met, until = limit, ends
    wait = seconds_until(until, as_of) if until else 0
    return Quota(max(0, min(left, default=0)), wait, until), met


def refuse_caller(row: Row, limit: Limit | None) -> None:
    """Raises `RequestLimitExceeded` if this answer says that its client calls too often."""
    if limit is None or row.requests_full_since is None:
        return
    ends_at = limit.ends_at(row.requests_full_since)
    raise RequestLimitExceeded(**Block.until(limit, ends_at, row.as_of).details)


def of_request(person: Person, phone_digest: str, key: RequestKey | None) -> dict[str, str | None]:
    """What a send and a check give their statements of who asks, and for whom."""
    return {
        "client": person.client,
        "phone": person.phone,
        "masked": mask(person.phone, "*"),
        "phone_digest": phone_digest,
        "purpose": person.purpose,
        "idempotency_key": key.idempotency_key if key else None,
        "fingerprint": key.fingerprints[0] if key else None,
    }
