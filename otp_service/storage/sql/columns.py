"""What an answer has of a verification, and of a delivery: `rows` makes values of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.verifications import CodeRow, VerificationRow
from otp_service.storage.sql.conditions import NOW, same_timeline

V, C, D = VerificationRow, CodeRow, DeliveryRow

VERIFICATION: tuple[sa.ColumnElement[Any], ...] = (
    *V.__table__.c,
    NOW.label("as_of"),
    same_timeline(V).label("same_timeline"),
)
ITS_CODE = sa.and_(C.verification_id == D.verification_id, C.generation == D.generation)
DELIVERY: tuple[sa.ColumnElement[Any], ...] = (
    *(column.label(f"delivery_{column.name}") for column in D.__table__.c),
    C.expires_at.label("delivery_expires_at"),
)
"""With `ITS_CODE` joined, if there is one."""
