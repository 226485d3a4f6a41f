"""The transactions that store a code and the message that is to carry it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain.limits import Limit
from otp_service.domain.verification import Channel, DeliveryStatus, Status
from otp_service.storage import rules
from otp_service.storage.functions import clock, from_now, timeline
from otp_service.storage.models import CodeRow, DeliveryRow, VerificationRow
from otp_service.storage.rules import ALWAYS, LIVE, NOW, OF_PERSON
from otp_service.storage.transaction import Statement, Transaction, given

V, C, D = VerificationRow, CodeRow, DeliveryRow
E = sa.orm.aliased(D)  # of an earlier request
PHONE = given("phone")
KEY = given("idempotency_key", sa.String())
SMS = given("sms_provider", sa.String())


def _live() -> sa.ColumnElement[bool]:
    return sa.exists().where(OF_PERSON, LIVE)


def _fresh() -> sa.ColumnElement[bool]:
    """No request with this idempotency key has stored a message in the last 24 hours."""
    return ~sa.exists().where(rules.of_key(D, KEY))


def _straight_to_sms() -> sa.ColumnElement[bool]:
    """It may be an SMS, and the phone is known not to be on WhatsApp."""
    return sa.and_(SMS.is_not(None), rules.not_on_whatsapp(PHONE))


def _channel() -> sa.ColumnElement[str]:
    return sa.case((_straight_to_sms(), Channel.SMS.value), else_=given("channel", sa.String()))


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
        V.channel: _channel(),
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
    new = sa.select(*values.values()).where(~_live(), _allowed(windows), _fresh())
    insert = sa.insert(V).from_select(list(values), new)
    return Transaction(insert, *_add_message(), _answer(windows), serialize=(KEY, PHONE))


def reissue(limits: Sequence[Limit]) -> Transaction:
    """The next generation of a live verification: restarts its expiry, gives no attempts back."""
    windows = rules.send_windows(limits)
    advance = (
        sa.update(V)
        .where(V.id == given("id"), V.generation == given("generation") - 1, LIVE)
        .where(_allowed(windows), _fresh())
        .values(
            generation=given("generation"),
            expires_at=from_now(given("lifetime")),
            channel=_channel(),
            locale=given("locale"),
        )
    )
    return Transaction(advance, *_add_message(), _answer(windows), serialize=(KEY, PHONE))


IS_SMS = sa.and_(SMS.is_not(None), V.channel == Channel.SMS.value)


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
        D.channel: V.channel,
        D.provider: sa.case((IS_SMS, SMS), else_=given("provider", sa.String())),
        D.status: sa.literal(DeliveryStatus.QUEUED.value),
        D.created_at: NOW,
        D.background: given("background", sa.Boolean()),
        D.auto: sa.and_(SMS.is_not(None), ~IS_SMS),
        D.due_at: sa.case((given("background", sa.Boolean()), NOW)),
        D.idempotency_key: KEY,
        D.fingerprint: given("fingerprint", sa.String()),
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
    """The message if it was stored, what the same request led to before, the live verification, and
    how full the windows are.
    """
    earlier = sa.and_(rules.of_key(E, KEY), E.id != given("delivery_id"))
    message = [D.id.label("stored"), D.channel.label("on"), D.provider.label("by"), D.auto]
    before = [E.verification_id.label("earlier"), E.id.label("earlier_delivery"), E.fingerprint]
    return (
        sa.select(*message, *before, *rules.facts(windows), *V.__table__.c)
        .select_from(ALWAYS)
        .outerjoin(V, sa.and_(V.id == rules.newest_verification(), LIVE))
        .outerjoin(D, D.id == given("delivery_id"))
        .outerjoin(E, earlier)
        .limit(1)
    )
