"""The copy of a table of keys that the fallback keeps, for who starts while Postgres is away."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import sqlalchemy as sa

from otp_service.storage.db.answer import Row
from otp_service.storage.db.failures import describe
from otp_service.storage.models.base import Base

log = logging.getLogger(__name__)

Rows = Sequence[Row]


def put_copy(engine: sa.Engine, row: type[Base], rows: Rows) -> bool:
    """Put them in the place of those that are there; whether that could be done.

    What is revoked there stays so: another process may have read later and written sooner.
    """
    columns = row.__table__.c
    (key,) = row.__table__.primary_key
    ended = sa.select(key, columns.revoked_at).where(columns.revoked_at.is_not(None))
    try:
        with engine.begin() as connection:
            known = {found[0]: found[1] for found in connection.execute(ended)}
            new = [each._asdict() for each in rows]
            for values in new:
                values["revoked_at"] = values["revoked_at"] or known.get(values[key.name])
            connection.execute(sa.delete(row))
            if new:
                connection.execute(sa.insert(row), new)
    except sa.exc.SQLAlchemyError as error:
        table = row.__tablename__
        log.error("the fallback could not take a copy of %s: %s", table, describe(error))
        return False
    return True
