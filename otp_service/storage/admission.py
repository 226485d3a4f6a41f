"""Nothing is kept in a Postgres before it has shown what it gives: see `guarantee_check`."""

from __future__ import annotations

import logging
from functools import partial

import sqlalchemy as sa

from otp_service.domain.errors import StorageUnavailable
from otp_service.storage.db import guarantee_check, guarantees
from otp_service.storage.db.database import Database, is_there
from otp_service.storage.schema import upgrade_when_there

log = logging.getLogger(__name__)


class Unfit(Exception):
    """This engine can't be used. Its text is for people."""


def ask(engine: sa.Engine) -> bool:
    """Whether it has shown it; False if it can't be asked now. Raises `Unfit`."""
    if engine.dialect.name != "postgresql":
        return True
    try:
        lacking = guarantee_check.missing(engine)
    except StorageUnavailable as failure:
        log.warning("the database could not be asked what it gives: %s", failure.reason)
        return False
    if lacking:
        raise Unfit(f"the database can't be used: {lacking}. {guarantees.ADVICE}")
    return True


def ask_when_there(database: Database) -> None:
    """The same, beside what goes on: returns at once, or in 2 seconds where nothing answers.

    While it is away nobody uses it. If it is unfit then, whoever wants to is refused.
    """
    if not is_there(database.engine):
        database.hold()
    upgrade_when_there(database.engine, then=partial(_admit, database))


def _admit(database: Database) -> None:
    unfit = ""
    try:
        ask(database.engine)
    except Unfit as found:
        unfit = str(found)
        log.error("%s", unfit)
    finally:  # whatever happens: nobody else would end what `hold` began
        database.admit(unfit=unfit)
