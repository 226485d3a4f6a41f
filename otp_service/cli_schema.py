"""The tables that a command needs to write what is written first: a key."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask

from otp_service.storage import schema
from otp_service.storage.models import engines_of
from otp_service.storage.transaction import failure_of


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
