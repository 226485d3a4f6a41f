"""How late a home's messages are: what an operator is woken for."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from otp_service.storage.db.database import Database
from otp_service.storage.db.transaction import Transaction
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.sql.conditions import NOW

D = DeliveryRow

_OLDEST = Transaction(
    sa.select(D.due_at, NOW.label("as_of")).where(D.due_at <= NOW).order_by(D.due_at).limit(1),
    name="oldest_due",
    reads=True,
)


def age(home: Database) -> float:
    """Seconds for which the oldest message that is due has waited for a worker, 0 if none is.

    What a worker has in hand is due when its lease ends. By the home's clock.
    """
    found = home.run(_OLDEST)
    if not found:
        return 0.0
    due_at: datetime = found[0].due_at
    as_of: datetime = found[0].as_of
    return (as_of - due_at).total_seconds()
