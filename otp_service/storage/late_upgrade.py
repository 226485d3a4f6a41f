"""The schema of a Postgres that may be away when the service starts."""

from __future__ import annotations

import logging
import threading
import time

import sqlalchemy as sa

from otp_service.storage.db.database import PROBE_SECONDS, answers
from otp_service.storage.db.failures import describe
from otp_service.storage.schema import upgrade

log = logging.getLogger(__name__)


def upgrade_when_there(engine: sa.Engine) -> None:
    """Return at once. Where `init-db` did it before, nothing is written."""
    threading.Thread(target=_upgrade, args=[engine], name="late-upgrade", daemon=True).start()


def _upgrade(engine: sa.Engine) -> None:
    while not answers(engine):
        time.sleep(PROBE_SECONDS)
    try:
        upgrade(engine)
    except sa.exc.SQLAlchemyError as error:
        log.error("the schema was not upgraded, see otp init-db: %s", describe(error))
