"""How often a client calls: counted in the transaction that does what it asked for.

A row for each request that was let in, for as long as its window: so any window holds no more of
them than the limit, wherever it begins. A request that is refused leaves no row, and who goes on
calling is let in again as soon as somebody who waited would be.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from otp_service.domain.limits import Limit
from otp_service.storage.db.lookup import Lookup
from otp_service.storage.db.transaction import Statement, given
from otp_service.storage.models.dialects import clock, from_now
from otp_service.storage.models.limits import RequestRow

R = RequestRow
CLIENT = given("client", sa.String())
THIS = given("request_id", sa.String())
FULL_SINCE = "requests_full_since"


class RequestRate:
    """Of the client that a transaction is given; without a ``limit`` nothing is counted."""

    def __init__(self, limit: Limit | None) -> None:
        self._limit = limit
        self._full = _full(limit) if limit else None

    @property
    def locks(self) -> list[sa.ColumnElement[str]]:
        """What the transaction's ``serialize`` begins with: a client's requests take turns."""
        return [sa.literal("client ") + CLIENT] if self._limit else []

    @property
    def count(self) -> list[Statement | Lookup]:
        """Comes before what it may refuse."""
        if self._limit is None or self._full is None:
            return []
        gone = R.created_at <= from_now(-self._limit.seconds)
        row = sa.select(THIS, CLIENT, clock()).where(self.admits)
        forget = sa.delete(R).where(R.client == CLIENT, gone)
        return [self._full, forget, sa.insert(R).from_select([R.id, R.client, R.created_at], row)]

    @property
    def admits(self) -> sa.ColumnElement[bool]:
        return self._full[FULL_SINCE].is_(None) if self._full else sa.true()

    @property
    def facts(self) -> list[Any]:
        """For `rows.refuse_caller`, as a column of the answer."""
        return self._full.columns() if self._full else []


def _full(limit: Limit) -> Lookup:
    """The window is full as long as its limit-th newest request has not left it."""
    recent = sa.select(R.created_at.label(FULL_SINCE)).where(
        R.client == CLIENT, R.created_at > from_now(-limit.seconds)
    )
    return Lookup(recent.order_by(R.created_at.desc()).offset(limit.count - 1).limit(1))
