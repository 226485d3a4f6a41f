"""What the commands on keys share: tables for the first of them, and who is told of a change."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask, current_app

from otp_service.storage import schema
from otp_service.storage.copied_rows import put_copy
from otp_service.storage.db.failures import failure_of
from otp_service.storage.db.transaction import Transaction
from otp_service.storage.models.base import Base, db, engines_of
from otp_service.storage.sql import audit


def make_schema(app: Flask) -> None:
    """Make or upgrade the tables of every home that lacks any, as init-db does.

    Raises `StorageUnavailable` where one may not. A home that can't be asked is left alone.
    """
    for engine in reversed(engines_of(app)):  # the fallback first: it is always there
        if not schema.is_behind(engine):
            continue
        try:
            schema.upgrade(engine)
        except sa.exc.SQLAlchemyError as error:
            failure = failure_of(error)
        else:
            continue
        raise failure  # outside of the handler: a database error's text holds the row


def record_change(action: audit.Action, detail: str, row: type[Base], every: Transaction) -> None:
    """The audit trail, and the copy of ``row``'s table: who starts in an outage now knows of it."""
    audit.record(db.engine, actor=audit.operator(), action=action, detail=detail)
    for fallback in engines_of(current_app)[1:]:
        put_copy(fallback, row, every.run(db.engine))
