"""The message that is to carry a code, and the code: what follows the verification's own row."""

from __future__ import annotations

import sqlalchemy as sa

from otp_service.domain.verification import Channel, DeliveryStatus
from otp_service.storage.db.transaction import Statement, given
from otp_service.storage.models import CodeRow, DeliveryRow, VerificationRow
from otp_service.storage.sql import conditions
from otp_service.storage.sql.conditions import NOW

V, C, D = VerificationRow, CodeRow, DeliveryRow
PHONE = given("phone")
KEY = given("idempotency_key", sa.String())
SMS = given("sms_provider", sa.String())


def channel() -> sa.ColumnElement[str]:
    """The one that was asked for, or SMS if it may be one and the phone is not on WhatsApp."""
    straight_to_sms = sa.and_(SMS.is_not(None), conditions.not_on_whatsapp(PHONE))
    return sa.case((straight_to_sms, Channel.SMS.value), else_=given("channel", sa.String()))


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
