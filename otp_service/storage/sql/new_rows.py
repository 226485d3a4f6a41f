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
from otp_service.storage.models.verifications import (
    CodeRow,
    SealedCodeRow,
    VerificationRow,
)
from otp_service.storage.sql import conditions
from otp_service.storage.sql.conditions import LIVE, NOW, Condition
from otp_service.storage.sql.phone_state import LIVE_ONES

V, C, D, S = VerificationRow, CodeRow, DeliveryRow, SealedCodeRow
PHONE = given("phone")
KEY = given("idempotency_key", sa.String())
GENERATION = given("generation", sa.Integer())
SMS = given("sms_provider", sa.String())
SEALED = given("sealed", sa.String())


_TOLD = (V.id, V.channel, V.generation, V.attempts, V.max_attempts, V.created_at, V.expires_at)


def _told(prefix: str) -> list[sa.Label[Any]]:
    return [column.label(f"{prefix}_{column.name}") for column in _TOLD]


OWN_LIVE = Lookup(conditions.newest_of_person(*_told("live")).where(LIVE))
"""The person's live verification. Only the newest can be live."""

NOT_ON_WHATSAPP = Lookup(sa.select(conditions.not_on_whatsapp(PHONE).label("not_on_whatsapp")))
"""Where an SMS may go instead."""
_TO_SMS = sa.and_(SMS.is_not(None), NOT_ON_WHATSAPP["not_on_whatsapp"])
CHANNEL = sa.case((_TO_SMS, Channel.SMS.value), else_=given("channel", sa.String()))
"""The one that was asked for, or SMS if it may be one and the phone is not on WhatsApp."""
_ASKED_FOR_SMS = sa.and_(SMS.is_not(None), given("channel", sa.String()) == Channel.SMS.value)
IS_SMS = sa.or_(_TO_SMS, _ASKED_FOR_SMS)
PROVIDER = sa.case((IS_SMS, SMS), else_=given("provider", sa.String()))
AUTO = sa.and_(SMS.is_not(None), sa.not_(IS_SMS))
"""Whether an SMS may follow by itself."""


_BEGUN: dict[Any, Any] = {
    V.id: given("id"),
    V.client: given("client"),
    V.phone: PHONE,
    V.purpose: given("purpose"),
    V.channel: CHANNEL,
    V.locale: given("locale"),
    V.generation: sa.literal(1),
    V.oldest_generation: sa.literal(1),
    V.attempts: sa.literal(0),
    V.created_at: clock(),
    V.expires_at: from_now(given("lifetime", sa.Integer())),
    V.timeline: timeline(),
}


def new_verification(
    limits: Limits, guesses_left: sa.ColumnElement[int], allowed: Condition
) -> Lookup:
    """A new verification with what guesses are left, unless the person has a live one."""
    values = _BEGUN | {
        V.status: sa.literal(Status.PENDING.value),
        V.max_attempts: guesses_left,
        V.country: given("country", sa.String()),
    }
    live_count = LIVE_ONES["live_count"]
    room = sa.or_(given("exempt", sa.Boolean()), limits.live_verifications.count > live_count)
    none_live = OWN_LIVE["live_id"].is_(None)
    new = sa.select(*values.values()).where(guesses_left > 0, none_live, room, allowed)
    return Lookup(sa.insert(V).from_select(list(values), new).returning(*_told("stored")))


def new_relay(allowed: Condition) -> Lookup:
    """A code that somebody else made. Its country is left out, as it counts for no conversion."""
    values = _BEGUN | {V.status: sa.literal(conditions.RELAYED), V.max_attempts: sa.literal(0)}
    new = sa.select(*values.values()).where(allowed)
    return Lookup(sa.insert(V).from_select(list(values), new).returning(*_told("stored")))


def next_generation(allowed: Condition) -> Lookup:
    """The next generation of a live one: restarts its expiry, gives no attempts back."""
    return Lookup(
        sa.update(V)
        .where(V.id == given("id"), V.generation == GENERATION - 1, LIVE)
        .where(allowed)
        .values(
            generation=GENERATION,
            expires_at=from_now(given("lifetime", sa.Integer())),
            channel=CHANNEL,
            locale=given("locale"),
        )
        .returning(*_told("stored"))
    )


def add_message(stored: Lookup) -> list[Statement]:
    """Its delivery and code, if the statement before has ``stored`` this generation."""
    is_stored = stored["stored_id"].is_not(None)
    delivery = {
        D.id: given("delivery_id"),
        D.verification_id: given("id"),
        D.phone: PHONE,
        D.generation: GENERATION,
        D.channel: CHANNEL,
        D.provider: PROVIDER,
        D.status: sa.literal(DeliveryStatus.QUEUED.value),
        D.created_at: NOW,
        D.background: given("background", sa.Boolean()),
        D.auto: AUTO,
        D.due_at: sa.case((given("background", sa.Boolean()), NOW)),
        D.idempotency_key: KEY,
        D.fingerprint: given("fingerprint", sa.String()),
        D.address: given("address", sa.String()),
        D.prefix: given("prefix", sa.String()),
        D.client: given("client"),
    }
    code = {
        C.verification_id: given("id"),
        C.generation: GENERATION,
        C.mac: given("mac"),
        C.secret_id: given("secret_id"),
        C.expires_at: stored["stored_expires_at"],
    }
    return [
        sa.insert(table).from_select(list(row), sa.select(*row.values()).where(is_stored))
        for table, row in ((D, delivery), (C, code))
    ]


def add_sealed_code(stored: Lookup) -> Statement:
    """The digits, where a caller made them."""
    code = {
        S.verification_id: given("id"),
        S.generation: GENERATION,
        S.sealed: SEALED,
        S.secret_id: given("secret_id"),
        S.expires_at: stored["stored_expires_at"],
    }
    given_one = sa.select(*code.values()).where(is_given(stored))
    return sa.insert(S).from_select(list(code), given_one)


def is_given(stored: Lookup) -> Condition:
    """A message is ``stored``, with a code that a caller made."""
    return sa.and_(stored["stored_id"].is_not(None), SEALED.is_not(None))


def live_one(stored: Lookup) -> list[sa.Label[Any]]:
    """For an answer: the person's live verification, which is what was ``stored`` if that was."""
    names = [column.name for column in _TOLD]
    columns: dict[str, Any] = {
        name: sa.func.coalesce(stored[f"stored_{name}"], OWN_LIVE[f"live_{name}"]) for name in names
    } | {
        "client": given("client"),
        "phone": PHONE,
        "purpose": given("purpose"),
        "status": sa.literal(Status.PENDING.value),
        "verified_at": sa.null(),
        "canceled_at": sa.null(),
        "same_timeline": sa.true(),
    }
    return [column.label(name) for name, column in columns.items()]
