"""The accounts of all providers, as far as they can be looked at without a message."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from otp_service.cli.check import gupshup_templates, meta_number, reachable
from otp_service.cli.check.findings import Finding, ok
from otp_service.delivery.providers.gupshup import Gupshup
from otp_service.delivery.providers.meta import Meta
from otp_service.settings import Settings

_MORE: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    Gupshup.name: gupshup_templates.check,
    Meta.name: meta_number.check,
}
"""What can be asked beyond whether somebody is there."""


def check(settings: Settings) -> Iterator[Finding]:
    for provider in settings.providers:
        if provider.missing:
            continue
        if more := _MORE.get(provider.name):
            yield from more(settings)
        else:
            yield reachable.check(provider)
    if not (settings.has_sms or settings.sandbox):
        yield ok("SMS", "not configured: whoever WhatsApp doesn't reach gets nothing")
