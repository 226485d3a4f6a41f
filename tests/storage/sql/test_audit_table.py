"""The database itself keeps the audit trail as it is."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from otp_service.storage.models.audit import AuditRow
from otp_service.storage.models.dialects import from_now

DAY = 86_400


def entry(engine: sa.Engine, days_ago: int) -> None:
    with engine.begin() as connection:
        row = {"at": from_now(-days_ago * DAY), "actor": "shop", "action": "verification.sent"}
        connection.execute(sa.insert(AuditRow).values(row))


def attempt(engine: sa.Engine, statement: sa.Delete | sa.Update | sa.TextClause) -> None:
    with engine.begin() as connection:
        connection.execute(statement)


def count(engine: sa.Engine) -> int | None:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(AuditRow))


def test_what_was_done_can_be_neither_changed_nor_deleted(engine: sa.Engine) -> None:
    entry(engine, days_ago=89)
    for statement in (sa.update(AuditRow).values(actor="somebody"), sa.delete(AuditRow)):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"):
            attempt(engine, statement)
    assert count(engine) == 1


def test_what_is_older_than_90_days_may_be_deleted_but_not_changed(engine: sa.Engine) -> None:
    entry(engine, days_ago=91)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        attempt(engine, sa.update(AuditRow).values(actor="somebody"))
    attempt(engine, sa.delete(AuditRow))
    assert count(engine) == 0


def test_on_postgres_the_whole_table_cannot_be_emptied_either(engine: sa.Engine) -> None:
    entry(engine, days_ago=1)
    if engine.dialect.name == "postgresql":
        with pytest.raises(sa.exc.DBAPIError, match="append-only"):
            attempt(engine, sa.text("TRUNCATE otp_service.audit"))
    assert count(engine) == 1
