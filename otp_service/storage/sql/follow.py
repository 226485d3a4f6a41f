"""When a message failed: what it did is undone, or another one takes its place."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError
from otp_service.domain.messages import Outgoing
from otp_service.domain.verification import Channel, DeliveryStatus, Status
from otp_service.storage.db.transaction import Transaction, given
from otp_service.storage.models.dialects import UtcTime
from otp_service.storage.sql.conditions import LIVE, NOW, RELAYED
from otp_service.storage.sql.new_rows import PHONE
from otp_service.storage.sql.outbox import (
    CODE,
    DUE,
    FAILED,
    LEASE,
    OURS,
    QUEUED,
    REASON,
    THIS,
    TRIES,
    C,
    D,
    Homes,
    V,
    reason_of,
    run_in_its_home,
)
from otp_service.storage.sql.sealed_codes import S, is_wiped

OTHER = sa.orm.aliased(D)
SMS = Channel.SMS.value
THIS_CODE = sa.and_(C.verification_id == given("id"), C.generation == given("generation"))


def _fail(error_code: sa.ColumnElement[str]) -> sa.Update:
    """End this message's turn: failed, if there is an error and it had not been sent."""
    fails = sa.and_(error_code.is_not(None), D.status == QUEUED)
    return (
        sa.update(D)
        .where(OURS)
        .values(
            due_at=None,
            lease=None,
            status=sa.case((fails, FAILED), else_=D.status),
            failed_at=sa.case((fails, NOW), else_=D.failed_at),
            error_code=sa.case((fails, error_code), else_=D.error_code),
            reason=sa.case((fails, REASON), else_=D.reason),
            tries=sa.case((fails, TRIES), else_=D.tries),
        )
    )


def _refused() -> Transaction:
    """Undo what storing the code did, so that the person can ask again at once.

    Unless another message carries the code too. The codes sent before stay good until their own
    expiry; without any the verification ends.
    """
    failed = sa.exists().where(THIS, D.status == FAILED)
    carried = sa.exists().where(
        OTHER.verification_id == given("id"),
        OTHER.generation == given("generation"),
        OTHER.id != given("delivery_id"),
        sa.or_(OTHER.submitted_at.is_not(None), OTHER.error_code == failures.UNCONFIRMED.code),
    )
    others = sa.select(sa.func.max(C.expires_at, type_=UtcTime()))
    last_expiry = others.where(C.verification_id == given("id")).scalar_subquery()
    ended = sa.case((last_expiry.is_(None), Status.FAILED.value), else_=V.status)
    sealed = sa.and_(S.verification_id == given("id"), S.generation == given("generation"))
    return Transaction(
        _fail(CODE),
        sa.delete(S).where(sealed, failed, ~carried),
        sa.delete(C).where(THIS_CODE, failed, ~carried),
        sa.update(V)
        .where(V.id == given("id"), V.status == Status.PENDING.value, failed)
        .values(expires_at=sa.func.coalesce(last_expiry, V.expires_at), status=ended),
        name="refused",
        serialize=[PHONE],
    )


_REFUSED = _refused()


def refused(homes: Homes, message: Outgoing, error: DeliveryError) -> None:
    run_in_its_home(homes, _REFUSED, message, **reason_of(error))


_MAY_STILL = sa.and_(sa.or_(LIVE, sa.and_(V.status == RELAYED, V.expires_at > NOW)), ~is_wiped())
"""The code of this delivery may go out again."""


def _follow() -> Transaction:
    """Another message with the same code, once: see `Outbox.follow`."""
    new = given("new_id")
    had_its_sms = sa.exists().where(OTHER.verification_id == V.id, OTHER.channel == SMS)
    may = sa.and_(
        THIS,
        D.lease.is_(None),  # as `_fail` leaves it, if it was ours
        D.delivered_at.is_(None),
        _MAY_STILL,
        V.generation == D.generation,
        ~sa.exists().where(OTHER.verification_id == V.id, OTHER.follows == D.id),
        sa.or_(given("channel") != SMS, D.channel == SMS, ~had_its_sms),
    )
    counted = (D.address, D.prefix, D.client)  # by limits, like the one before
    values: dict[Any, Any] = {column: column for column in counted} | {
        D.id: new,
        D.verification_id: D.verification_id,
        D.phone: D.phone,
        D.generation: D.generation,
        D.channel: given("channel"),
        D.provider: given("provider"),
        D.status: sa.literal(QUEUED),
        D.created_at: NOW,
        D.background: D.background,
        D.auto: given("auto", sa.Boolean()),
        D.follows: D.id,
        D.tries: D.tries,
        D.due_at: DUE,
        D.lease: given("new_lease", sa.String()),
    }
    row = sa.select(*values.values()).select_from(D).join(V, V.id == D.verification_id).where(may)
    stored = sa.exists().where(D.id == new)
    return Transaction(
        _fail(CODE),
        sa.insert(D).from_select(list(values), row),
        sa.update(V).where(V.id == given("id"), stored).values(channel=given("channel")),
        sa.select(D.id, D.tries).where(D.id == new),
        name="follow",
        serialize=[PHONE],
    )


_FOLLOW = _follow()


def follow(
    homes: Homes,
    message: Outgoing,
    channel: Channel,
    provider: str,
    error: DeliveryError | None = None,
    *,
    due_in: float | None = None,
) -> Outgoing | None:
    lease = message.lease if due_in is None else None
    following = replace(
        message,
        delivery_id=secrets.token_hex(16),
        channel=channel,
        provider=provider,
        auto=message.auto and channel is not Channel.SMS,
        status=DeliveryStatus.QUEUED,
        error_code=None,
        lease=lease,
    )
    stored = run_in_its_home(
        homes,
        _FOLLOW,
        message,
        new_id=following.delivery_id,
        new_lease=lease,
        channel=channel.value,
        provider=provider,
        auto=following.auto,
        due_in=LEASE if lease else due_in,
        **reason_of(error),
    )
    return replace(following, tries=stored[0].tries or 0) if stored else None
