"""How often a client calls: counted in the transaction that does what it asked for.

One row for each client, whose window begins with the first request after a pause. Who comes when
the row is in use waits for it: so do not count where no limit asks for it.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert  # SQLite compiles its ON CONFLICT just as well

from otp_service.domain.errors import RequestLimitExceeded
from otp_service.domain.limits import Limit, seconds_until
from otp_service.storage.access_models import ClientRequestsRow
from otp_service.storage.functions import clock, from_now
from otp_service.storage.transaction import Statement, given

R = ClientRequestsRow
CLIENT = given("client", sa.String())


class RequestRate:
    """Of the client that a transaction is given; without a ``limit`` nothing is counted."""

    def __init__(self, limit: Limit | None) -> None:
        self._limit = limit

    @property
    def count(self) -> list[Statement]:
        """Comes before what it may refuse."""
        if self._limit is None:
            return []
        over = R.began_at <= from_now(-self._limit.seconds)
        again = {
            "used": sa.case((over, 1), else_=R.used + 1),
            "began_at": sa.case((over, clock()), else_=R.began_at),
        }
        row = {R.client: CLIENT, R.used: 1, R.began_at: clock()}
        first = insert(R).values({column.key: value for column, value in row.items()})
        return [first.on_conflict_do_update(index_elements=[R.client], set_=again)]

    @property
    def admits(self) -> sa.ColumnElement[bool]:
        if self._limit is None:
            return sa.true()
        return sa.exists().where(R.client == CLIENT, R.used <= self._limit.count)

    @property
    def facts(self) -> list[Any]:
        """For `refuse`, as columns of the answer."""
        if self._limit is None:
            return []
        mine = R.client == CLIENT
        return [
            sa.select(R.used).where(mine).scalar_subquery().label("requests"),
            sa.select(R.began_at).where(mine).scalar_subquery().label("requests_since"),
        ]

    def refuse(self, row: sa.Row[Any]) -> None:
        """Raises `RequestLimitExceeded` if this answer is a refusal."""
        if self._limit is None or row.requests <= self._limit.count:
            return
        ends_at = self._limit.ends_at(row.requests_since)
        raise RequestLimitExceeded(
            retry_after=seconds_until(ends_at, row.as_of), **self._limit.told(), resets_at=ends_at
        )
