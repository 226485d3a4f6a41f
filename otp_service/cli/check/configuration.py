"""What the settings alone tell, and whether the database holds what they ask for."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from flask import Flask

from otp_service.cli.check.findings import Finding, ok, problem, warning
from otp_service.delivery.providers import gupshup_sms
from otp_service.domain.errors import StorageUnavailable
from otp_service.domain.messages import Message
from otp_service.settings import Settings
from otp_service.storage import api_keys, event_endpoints
from otp_service.storage.db.transaction import Transaction
from otp_service.storage.models.base import engines_of
from otp_service.storage.models.deliveries import DeliveryRow, ReceiptRow
from otp_service.storage.models.dialects import from_now
from otp_service.wording import counted

LONG_AGO = 60  # seconds
_OVERDUE = Transaction(
    sa.select(
        *(
            sa.select(sa.func.count())
            .select_from(row)
            .where(row.due_at < from_now(-LONG_AGO))
            .scalar_subquery()
            for row in (DeliveryRow, ReceiptRow)
        )
    ),
    reads=True,
)
_WORKER_OFF = (
    "by itself the server sends no retries, no SMS and no codes of hooks, settles no receipts, "
    "and tells nobody of events"
)


def check(settings: Settings) -> Iterator[Finding]:
    for text in settings.warnings:
        yield warning("settings", text)
    if not settings.warnings:
        yield ok("settings", "nothing to remark")
    if settings.sandbox:
        advice = "To send, set GUPSHUP_API_KEY, GUPSHUP_SOURCE, GUPSHUP_TEMPLATE_ID and "
        advice += "GUPSHUP_SRC_NAME, or META_ACCESS_TOKEN and what belongs to it: see env.example."
        yield warning("sandbox", "no WhatsApp sender is configured: messages stay here", advice)
    yield _worker(settings)
    if settings.gupshup.webhook_secret:
        hooks = ["/webhooks/gupshup"]
        hooks += [] if settings.sms.missing else ["/webhooks/gupshup-sms"]
        text = f"the secret is set; Gupshup has to call {' and '.join(hooks)} with it"
        yield ok("receipts", text)
    if settings.hooks.secrets:
        paths = " and ".join(f"/hooks/{name}" for name in settings.hooks.secrets)
        yield ok("hooks", f"codes of others come in at {paths}, and go by {settings.hooks.channel}")
    if not settings.sms.missing:
        sample = Message("", "1234567890"[: settings.code_length], settings.expiry)
        yield ok("SMS text", f"as it is sent: {gupshup_sms.text_for(settings.sms, sample)}")


def _worker(settings: Settings) -> Finding:
    if settings.worker:
        return ok("worker", "each server process has one")
    advice = "Let ./otp worker run beside it, or set OTP_WORKER=on."
    return warning("worker", f"OTP_WORKER is off: {_WORKER_OFF}", advice)


def check_contents(app: Flask, settings: Settings) -> Iterator[Finding]:
    database = engines_of(app)[0]
    yield from _backlog(database)
    if settings.api_keys_required:
        yield _keys(database)
    yield from _endpoints(database, settings)


def _backlog(engine: sa.Engine) -> Iterator[Finding]:
    """What a worker should have looked at long ago."""
    try:
        (counts,) = _OVERDUE.run(engine)
    except StorageUnavailable:  # told already
        return
    if any(counts):
        waiting = f"{counted(counts[0], 'message')} and {counted(counts[1], 'receipt')}"
        text = f"{waiting} waited for a worker for over {LONG_AGO} s"
        advice = "Does a server run, or with OTP_WORKER=off: ./otp worker?"
        yield warning("backlog", text, advice)


def _endpoints(engine: sa.Engine, settings: Settings) -> Iterator[Finding]:
    """Whether these secrets open those of the endpoints that are told of events."""
    try:
        found = event_endpoints.everything(engine, settings.secrets)
    except StorageUnavailable:  # told already
        return
    active = [each for each in found if not each.ended_at]
    lost = [each.id for each in active if not each.key]
    if lost:
        ids = ", ".join(lost)
        text = f"nothing can be told to {ids}: the OTP_SECRET it was added under is not set"
        advice = "Set it behind the new one, or remove the endpoint and add it anew: ./otp events"
        yield problem("events", text, advice)
    elif active:
        yield ok("events", f"{counted(len(active), 'endpoint')} can be told")


def _keys(engine: sa.Engine) -> Finding:
    try:
        keys = [key._asdict() for key in api_keys.everything(engine)]
    except StorageUnavailable:
        return warning("API keys", "they can't be read: see the database")
    usable = [key for key in keys if not key["revoked_at"] and "otp" in key["scopes"].split()]
    if usable:
        return ok("API keys", f"{len(usable)} may send and check codes")
    advice = "Make one: ./otp keys create NAME"
    return problem("API keys", "they are required, but none may send: all calls get 401", advice)
