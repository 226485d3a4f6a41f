"""What the settings alone tell."""

from __future__ import annotations

from collections.abc import Iterator

from otp_service.cli.check.findings import Finding, ok, warning
from otp_service.delivery.providers import gupshup_sms
from otp_service.domain.messages import Message
from otp_service.settings import Settings

_WORKER_OFF = "the server sends no retries, no SMS and settles no receipts by itself"


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
    if settings.gupshup_webhook_secret:
        hooks = ["/webhooks/gupshup"]
        hooks += [] if settings.sms.missing else ["/webhooks/gupshup-sms"]
        text = f"the secret is set; Gupshup has to call {' and '.join(hooks)} with it"
        yield ok("receipts", text)
    if not settings.sms.missing:
        sample = Message("", "1234567890"[: settings.code_length], settings.expiry)
        yield ok("SMS text", f"as it is sent: {gupshup_sms.text_for(settings.sms, sample)}")


def _worker(settings: Settings) -> Finding:
    if settings.worker:
        return ok("worker", "each server process has one")
    advice = "Let ./otp worker run beside it, or set OTP_WORKER=on."
    return warning("worker", f"OTP_WORKER is off: {_WORKER_OFF}", advice)
