"""The newest that providers told of each template, number and account, over all homes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert  # SQLite compiles its ON CONFLICT just as well

from otp_service.domain.errors import StorageUnavailable
from otp_service.domain.provider_events import Kind, Level, ProviderEvent
from otp_service.storage.db.answer import Row
from otp_service.storage.db.database import Database, keep_in_first
from otp_service.storage.db.transaction import Transaction, given
from otp_service.storage.models.deliveries import ProviderEventRow
from otp_service.storage.models.dialects import UtcTime, from_now
from otp_service.storage.sql.conditions import NOW
from otp_service.storage.sql.json_rows import as_json, rows_of

E = ProviderEventRow
_FIELDS = [field.name for field in fields(ProviderEvent)]
_EMPTY = ("ref", "language", "owner", "detail")


def _keep() -> Transaction:
    """A newer one takes an older one's place, whichever came first."""
    names = ["id", *(name for name in _FIELDS if name != "at")]
    batch = rows_of("events", **dict.fromkeys(names, sa.String()), at=UtcTime())
    values = {
        **{name: batch.c[name] for name in names},
        "at": sa.func.coalesce(batch.c.at, NOW),
        "created_at": NOW,
    }
    # SQLite reads ON CONFLICT as a part of the SELECT if that has no WHERE.
    rows = sa.select(*values.values()).where(batch.c.id.is_not(None))
    new = insert(E).from_select(list(values), rows)
    changes = {name: new.excluded[name] for name in values if name != "id"}
    newer = new.excluded.at >= E.at
    kept = new.on_conflict_do_update(index_elements=[E.id], set_=changes, where=newer)
    return Transaction(kept, name="keep_event")


KEEP = _keep()
ALL = Transaction(sa.select(*E.__table__.c, NOW.label("as_of")), reads=True)
FORGET_OLD = Transaction(
    sa.delete(E)
    .where(E.created_at < from_now(-86_400 * given("days", sa.Integer())))
    .returning(E.id)
)


@dataclass(frozen=True)
class Known:
    """An event, its time by the provider's clock, and how long ago it came."""

    event: ProviderEvent
    at: datetime
    age: timedelta


class ProviderEvents:
    """``databases``: the primary home first, then the fallback, if there is one."""

    def __init__(self, *databases: Database) -> None:
        self._databases = databases

    def keep(self, events: Sequence[ProviderEvent]) -> None:
        """In one statement, in the first home that can be reached. Raises what `Store` raises."""
        newest = {_id(event): event for event in events}
        batch = as_json({"id": key, **_values(event)} for key, event in newest.items())
        keep_in_first(self._databases, KEEP, events=batch)


def known(engines: Sequence[sa.Engine]) -> list[Known]:
    """The newest of each, from the homes that can be asked; the last told comes first."""
    newest: dict[str, Known] = {}
    for engine in engines:
        with suppress(StorageUnavailable):
            for row in ALL.run(engine):
                latest = _known(row)
                if row.id not in newest or latest.at > newest[row.id].at:
                    newest[row.id] = latest
    return sorted(newest.values(), key=lambda each: each.at, reverse=True)


def _id(event: ProviderEvent) -> str:
    about = (event.ref or event.name, event.language, event.owner)
    key = [event.provider, event.kind.value, event.topic, *about]
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()


def _values(event: ProviderEvent) -> dict[str, Any]:
    values = {name: getattr(event, name) for name in _FIELDS}
    values |= {name: values[name] or None for name in _EMPTY}
    return values | {"kind": event.kind.value, "level": event.level.value}


def _known(row: Row) -> Known:
    values = {name: getattr(row, name) for name in _FIELDS}
    values |= {name: values[name] or "" for name in _EMPTY}
    values |= {"kind": Kind(row.kind), "level": Level(row.level)}
    return Known(ProviderEvent(**values), row.at, row.as_of - row.created_at)
