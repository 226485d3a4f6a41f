"""The transactions that store a code and record what became of its message."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from otp_service.domain.limits import Limit
from otp_service.domain.verification import DeliveryStatus, Status
from otp_service.storage import rules
from otp_service.storage.functions import UtcTime, clock, from_now, timeline
from otp_service.storage.models import CodeRow, DeliveryRow, VerificationRow
from otp_service.storage.rules import ALWAYS, LIVE, NOW, OF_PERSON
from otp_service.storage.transaction import Statement, Transaction, given

V, C, D = VerificationRow, CodeRow, DeliveryRow
PHONE = given("phone")
THIS_CODE = sa.and_(C.verification_id == given("id"), C.generation == given("generation"))


def _live() -> sa.ColumnElement[bool]:
    return sa.exists().where(OF_PERSON, LIVE)


def _allowed(windows: Sequence[rules.Window]) -> sa.ColumnElement[bool]:
    return sa.or_(given("exempt", sa.Boolean()), sa.and_(*(window.open for window in windows)))


def issue(limits: Sequence[Limit]) -> Transaction:
    """A new verification, unless the person has a live one or the phone has had its messages."""
    windows = rules.send_windows(limits)
    values = {
        V.id: given("id"),
        V.client: given("client"),
        V.phone: PHONE,
        V.purpose: given("purpose"),
        V.channel: given("channel"),
        V.locale: given("locale"),
        V.status: sa.literal(Status.PENDING.value),
        V.generation: sa.literal(1),
        V.oldest_generation: sa.literal(1),
        V.attempts: sa.literal(0),
        V.max_attempts: given("max_attempts"),
        V.created_at: clock(),
        V.expires_at: from_now(given("lifetime")),
        V.timeline: timeline(),
    }
    new = sa.select(*values.values()).where(~_live(), _allowed(windows))
    insert = sa.insert(V).from_select(list(values), new)
    return Transaction(insert, *_add_message(), _answer(windows), serialize=PHONE)


def reissue(limits: Sequence[Limit]) -> Transaction:
    """The next generation of a live verification: restarts its expiry, gives no attempts back."""
    windows = rules.send_windows(limits)
    advance = (
        sa.update(V)
        .where(V.id == given("id"), V.generation == given("generation") - 1, LIVE)
        .where(_allowed(windows))
        .values(
            generation=given("generation"),
            expires_at=from_now(given("lifetime")),
            channel=given("channel"),
            locale=given("locale"),
        )
    )
    return Transaction(advance, *_add_message(), _answer(windows), serialize=PHONE)


def _add_message() -> list[Statement]:
    """Its delivery and code, if the statement before made room for this generation."""
    theirs = sa.exists().where(
        D.verification_id == given("id"), D.generation == given("generation")
    )
    delivery = {
        D.id: given("delivery_id"),
        D.verification_id: V.id,
        D.phone: V.phone,
        D.generation: V.generation,
        D.channel: given("channel"),
        D.provider: given("provider"),
        D.status: sa.literal(DeliveryStatus.QUEUED.value),
        D.created_at: NOW,
    }
    code = {
        C.verification_id: V.id,
        C.generation: V.generation,
        C.mac: given("mac"),
        C.secret_id: given("secret_id"),
        C.expires_at: V.expires_at,
    }
    here = sa.and_(V.id == given("id"), V.generation == given("generation"))
    ours = sa.exists().where(D.id == given("delivery_id"))
    new_delivery = sa.select(*delivery.values()).where(here, ~theirs)
    new_code = sa.select(*code.values()).where(here, ours)
    return [
        sa.insert(D).from_select(list(delivery), new_delivery),
        sa.insert(C).from_select(list(code), new_code),
    ]


def _answer(windows: Sequence[rules.Window]) -> Statement:
    """Whether the draft was stored, the live verification, and how full the windows are."""
    stored = sa.exists().where(D.id == given("delivery_id")).label("stored")
    return (
        sa.select(stored, *rules.facts(windows), *V.__table__.c)
        .select_from(ALWAYS)
        .outerjoin(V, sa.and_(V.id == rules.newest_verification(), LIVE))
    )


def submitted() -> Transaction:
    """The provider took the message; ``supersede`` is the oldest generation that still holds."""
    return Transaction(
        sa.update(D)
        .where(D.id == given("delivery_id"), D.status == DeliveryStatus.QUEUED.value)
        .values(
            status=DeliveryStatus.SUBMITTED.value,
            submitted_at=NOW,
            provider_message_id=given("provider_message_id"),
        ),
        sa.update(V)
        .where(V.id == given("id"), V.oldest_generation < given("supersede"))
        .values(oldest_generation=given("supersede")),
    )


def unconfirmed() -> Transaction:
    return Transaction(
        sa.update(D)
        .where(D.id == given("delivery_id"))
        .values(error_code=given("error_code"), reason=given("reason"))
    )


def refused() -> Transaction:
    """Undo what storing the code did, so that the person can ask again at once.

    The codes sent before stay good until their own expiry; without any the verification ends.
    """
    others = sa.select(sa.func.max(C.expires_at, type_=UtcTime()))
    last_expiry = others.where(C.verification_id == given("id")).scalar_subquery()
    ended = sa.case((last_expiry.is_(None), Status.FAILED.value), else_=V.status)
    return Transaction(
        sa.update(D)
        .where(D.id == given("delivery_id"))
        .values(
            status=DeliveryStatus.FAILED.value,
            failed_at=NOW,
            error_code=given("error_code"),
            reason=given("reason"),
        ),
        sa.delete(C).where(THIS_CODE),
        sa.update(V)
        .where(V.id == given("id"), V.status == Status.PENDING.value)
        .values(expires_at=sa.func.coalesce(last_expiry, V.expires_at), status=ended),
        serialize=PHONE,
    )
