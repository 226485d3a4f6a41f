"""What a message's fate says about the configuration."""

from __future__ import annotations

from collections.abc import Iterator

from otp_service.cli.check.findings import Finding, Mark, ok, problem, warning
from otp_service.delivery.providers.sandbox import SandboxSender
from otp_service.domain.failures import FAILURES, REFUSED
from otp_service.domain.verification import Delivery, DeliveryStatus, Verification

_SECRET = "?token=SECRET (GUPSHUP_WEBHOOK_SECRET's value; an Authorization header does, too)"  # noqa: S105
_SERVER = "no server of this service, on the same database, runs where the provider can call it"
_CAUSES = {
    "gupshup": (
        "the callback URL at Gupshup (the app's Webhooks) is not https://YOUR-HOST"
        f"/webhooks/gupshup{_SECRET}",
        "its modes Sent, Delivered, Read and Failed are not ticked there",
        "GUPSHUP_WEBHOOK_SECRET of the server is not set, or another one",
        "GUPSHUP_WEBHOOK_IPS leaves Gupshup's addresses out",
    ),
    "gupshup-sms": (
        "Gupshup does not know the URL for delivery reports, https://YOUR-HOST"
        f"/webhooks/gupshup-sms{_SECRET}: its support sets it",
        "GUPSHUP_WEBHOOK_SECRET of the server is not set, or another one",
    ),
    "meta": (
        "the app's webhook at Meta is not https://YOUR-HOST/webhooks/meta, or the field "
        "messages is not subscribed",
        "META_APP_SECRET of the server is not set, or another app's",
    ),
}


def arrived(delivery: Delivery) -> bool:
    return bool(delivery.delivered_at or delivery.read_at)


def stayed_here(delivery: Delivery) -> bool:
    """In the sandbox, or since it is one of OTP_TEST_NUMBERS."""
    return delivery.provider == SandboxSender.provider


def of(verification: Verification, waited: float) -> Iterator[Finding]:
    deliveries = verification.deliveries
    there = [each for each in deliveries if arrived(each)]
    for each in deliveries:
        if arrived(each):
            yield ok("delivery", f"the message arrived over {each.channel.value}")
        elif stayed_here(each):
            text = "nothing was sent: this number's messages stay on this machine"
            yield warning("delivery", text, "See the sandbox, and OTP_TEST_NUMBERS.")
        elif each.failed_at:
            yield _failed(each, Mark.WARNING if there else Mark.PROBLEM)
        elif not there:
            yield _silent(each, waited)


def _failed(delivery: Delivery, mark: Mark) -> Finding:
    failure = FAILURES.get(delivery.error_code or "", REFUSED)
    text = f"{delivery.channel.value} failed: {failure.explanation}"
    if delivery.reason:
        text += f" {delivery.provider} says: {delivery.reason}"
    return Finding(mark, "delivery", text, failure.advice)


def _silent(delivery: Delivery, waited: float) -> Finding:
    if delivery.status is DeliveryStatus.QUEUED:
        return problem("delivery", f"it was not sent within {waited:g} s")
    if delivery.sent_at:
        text = f"sent, but no receipt of its arrival came within {waited:g} s"
        advice = "Is the phone on and online? If it shows the message, the mode Delivered is not "
        advice += "ticked at the provider. A longer --wait may tell."
        return warning("delivery", text, advice)
    causes = [_SERVER, *_CAUSES.get(delivery.provider, ())]
    listed = "; ".join(f"({number}) {cause}" for number, cause in enumerate(causes, start=1))
    text = f"{delivery.provider} took the message, but no receipt came within {waited:g} s"
    return problem("receipts", text, f"Likely causes: {listed}.")
