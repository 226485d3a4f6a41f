"""What an answer has of a verification, and of a delivery: `rows` makes values of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.verifications import CodeRow, VerificationRow
from otp_service.storage.sql.conditions import NOW, same_timeline

V, C, D = VerificationRow, CodeRow, DeliveryRow

AS_OF = NOW.label("as_of")
_NOT_TOLD = {"locale", "country", "timeline"}
STORED: tuple[sa.ColumnElement[Any], ...] = (
    *(column for column in V.__table__.c if column.name not in _NOT_TOLD),
    same_timeline(V).label("same_timeline"),
)
VERIFICATION = (*STORED, AS_OF)
ITS_CODE = sa.and_(C.verification_id == D.verification_id, C.generation == D.generation)
DELIVERY: tuple[sa.ColumnElement[Any], ...] = (
    *(column.label(f"delivery_{column.name}") for column in D.__table__.c),
    C.expires_at.label("delivery_expires_at"),
)
"""With `ITS_CODE` joined, if there is one."""
