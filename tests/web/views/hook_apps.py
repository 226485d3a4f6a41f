"""An application with every hook on, and what became of what it was handed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from otp_service.domain.given_codes import open_code
from otp_service.settings import settings_of
from otp_service.storage.models.base import engines_of
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.verifications import SealedCodeRow, VerificationRow
from otp_service.web.dependencies import dependencies_of
from tests.web.hooks.callers import Caller, Json

_COLUMNS = (
    VerificationRow.id,
    VerificationRow.client,
    VerificationRow.phone,
    VerificationRow.purpose,
    VerificationRow.locale,
    DeliveryRow.status,
    DeliveryRow.channel,
    SealedCodeRow.sealed,
    SealedCodeRow.secret_id,
    SealedCodeRow.generation,
)


@dataclass
class Hooked:
    """Posts as the systems do. Nothing runs beside it: what is to be sent waits."""

    app: Flask
    _numbers: Any = field(default_factory=itertools.count)

    def phone(self) -> str:
        """Another one, of a prefix of its own."""
        return f"+919{next(self._numbers):05}3210"

    def post(self, caller: Caller, body: Json | bytes, **how: Any) -> TestResponse:
        client = self.app.test_client()
        return client.post(caller.path, **caller.request(body, **how))

    def stored(self, phone: str | None = None) -> list[Any]:
        """What waits to be sent, to ``phone`` or to anybody, oldest first."""
        query = (
            sa.select(*_COLUMNS)
            .join(DeliveryRow, DeliveryRow.verification_id == VerificationRow.id)
            .join(SealedCodeRow, SealedCodeRow.verification_id == VerificationRow.id)
            .order_by(VerificationRow.created_at)
        )
        if phone:
            query = query.where(VerificationRow.phone == phone)
        with engines_of(self.app)[0].connect() as connection:
            return list(connection.execute(query))

    def code(self, row: Any) -> str:
        """As whoever sends it opens it."""
        codes = dependencies_of(self.app).relaying._codes
        return open_code(codes, row.sealed, row.secret_id, row.id, row.generation)

    @property
    def channel(self) -> str:
        return settings_of(self.app).hooks.channel
