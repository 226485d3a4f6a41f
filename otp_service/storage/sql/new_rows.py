"""The rows that a send makes: a verification, or its next generation; its message; its code."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from otp_service.domain.limits import Limits
from otp_service.domain.verification import Channel, DeliveryStatus, Status
from otp_service.storage.db.lookup import Lookup
from otp_service.storage.db.transaction import Statement, given
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.dialects import clock, from_now, timeline
from otp_service.storage.models.verifications import CodeRow, VerificationRow
from otp_service.storage.sql import conditions
from otp_service.storage.sql.conditions import LIVE, NOW, Condition
from otp_service.storage.sql.phone_state import LIVE_ONES

V, C, D = VerificationRow, CodeRow, DeliveryRow
PHONE = given("phone")
KEY = given("idempotency_key", sa.String())
SMS = given("sms_provider", sa.String())


OWN_LIVE = Lookup(sa.select(conditions.newest_verification(LIVE).label("live_id")))
"""The person's live verification."""


def channel() -> sa.ColumnElement[str]:
    """The one that was asked for, or SMS if it may be one and the phone is not on WhatsApp."""
    straight_to_sms = sa.and_(SMS.is_not(None), conditions.not_on_whatsapp(PHONE))
    return sa.case((straight_to_sms, Channel.SMS.value), else_=given("channel", sa.String()))


def new_verification(
    limits: Limits, guesses_left: sa.ColumnElement[int], allowed: Condition
) -> Statement:
    """A new verification with what guesses are left, unless the person has a live one."""
    values: dict[Any, Any] = {
        V.id: given("id"),
        V.client: given("client"),
        V.phone: PHONE,
        V.purpose: given("purpose"),
        V.channel: channel(),
        V.locale: given("locale"),
        V.status: sa.literal(Status.PENDING.value),
        V.generation: sa.literal(1),
        V.oldest_generation: sa.literal(1),
        V.attempts: sa.literal(0),
        V.max_attempts: guesses_left,
        V.created_at: clock(),
        V.expires_at: from_now(given("lifetime", sa.Integer())),
        V.timeline: timeline(),
        V.country: given("country", sa.String()),
    }
    live_count = LIVE_ONES["live_count"]
    room = sa.or_(given("exempt", sa.Boolean()), limits.live_verifications.count > live_count)
    none_live = OWN_LIVE["live_id"].is_(None)
    new = sa.select(*values.values()).where(guesses_left > 0, none_live, room, allowed)
    return sa.insert(V).from_select(list(values), new)


def next_generation(allowed: Condition) -> Statement:
    """The next generation of a live one: restarts its expiry, gives no attempts back."""
    return (
        sa.update(V)
        .where(V.id == given("id"), V.generation == given("generation") - 1, LIVE)
        .where(allowed)
        .values(
            generation=given("generation"),
            expires_at=from_now(given("lifetime", sa.Integer())),
            channel=channel(),
            locale=given("locale"),
        )
    )


IS_SMS = sa.and_(SMS.is_not(None), V.channel == Channel.SMS.value)


def add_message() -> list[Statement]:
    """Its delivery and code, if the statement before made room for this generation."""
    theirs = sa.exists().where(
        D.verification_id == given("id"), D.generation == given("generation")
    )
    delivery = {
        D.id: given("delivery_id"),
        D.verification_id: V.id,
        D.phone: V.phone,
        D.generation: V.generation,
        D.channel: V.channel,
        D.provider: sa.case((IS_SMS, SMS), else_=given("provider", sa.String())),
        D.status: sa.literal(DeliveryStatus.QUEUED.value),
        D.created_at: NOW,
        D.background: given("background", sa.Boolean()),
        D.auto: sa.and_(SMS.is_not(None), ~IS_SMS),
        D.due_at: sa.case((given("background", sa.Boolean()), NOW)),
        D.idempotency_key: KEY,
        D.fingerprint: given("fingerprint", sa.String()),
        D.address: given("address", sa.String()),
        D.prefix: given("prefix", sa.String()),
        D.client: V.client,
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
