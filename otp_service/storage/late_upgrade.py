"""A start without Postgres: what `init-db` could not do then is done when Postgres is there."""

from __future__ import annotations

import logging
import threading
import time

import sqlalchemy as sa

from otp_service.storage.database import PROBE_SECONDS, answers
from otp_service.storage.schema import upgrade
from otp_service.storage.transaction import describe

log = logging.getLogger(__name__)


def upgrade_if_away_now(engine: sa.Engine) -> None:
    """Return at once. A database that answers now is left to `init-db`."""
    threading.Thread(target=_upgrade, args=[engine], name="late-upgrade", daemon=True).start()


def _upgrade(engine: sa.Engine) -> None:
    if answers(engine):
        return
    while not answers(engine):
        time.sleep(PROBE_SECONDS)
    try:
        upgrade(engine)
    except sa.exc.SQLAlchemyError as error:
        log.error("the schema could not be upgraded, run otp init-db: %s", describe(error))
    else:
        log.info("the schema is up to date")
