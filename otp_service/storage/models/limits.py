"""What limits count, beside messages and attempts."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from otp_service.storage.models.base import Model


class PhoneRow(Model):
    """A phone across its verifications, since a guess was wrong or it was unlocked."""

    __tablename__ = "phones"
    phone: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    failures: Mapped[int] = mapped_column(comment="wrong guesses in a row")
    disabled_at: Mapped[datetime | None] = mapped_column(
        comment="when there were too many in a row"
    )
    unlocked_at: Mapped[datetime | None] = mapped_column(
        comment="limits don't count what was before"
    )
    updated_at: Mapped[datetime] = mapped_column(index=True)


class RequestSlotRow(Model):
    """A place for a request of a client, and when one took it last: see `sql/request_rate`."""

    __tablename__ = "request_slots"
    client: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    taken_at: Mapped[datetime]


class RequestRow(Model):
    """The release before counts here. It goes with the next contract."""

    __tablename__ = "requests"
    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    client: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime]

    __table_args__ = (sa.Index(None, "client", "created_at"),)


class ClientRequestsRow(Model):
    """Nobody counts here any more. It goes with the next contract."""

    __tablename__ = "client_requests"
    client: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    used: Mapped[int] = mapped_column(comment="since then")
    began_at: Mapped[datetime]
