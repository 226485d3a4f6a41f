"""Who sends: the providers that the settings name, in their order, and what may be sent by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from otp_service.bootstrap.traced import make_sender
from otp_service.delivery.guarded_sender import GuardedSender
from otp_service.delivery.provider import Provider
from otp_service.delivery.providers.sandbox import SandboxSender
from otp_service.domain.codes import Codes
from otp_service.domain.dispatch import Dispatch
from otp_service.domain.messages import Message, Sender
from otp_service.domain.policy import Policy
from otp_service.domain.verification import Channel
from otp_service.observability.metrics import Metrics
from otp_service.settings import Settings
from otp_service.storage.outbox import Messages

if TYPE_CHECKING:
    from otp_service.observability.tracing import Tracing

CALLS = 104  # to providers, under way at a time in a process; fewer than the threads made for them
SAMPLE = {"phone": "+1234567890", "code": "123456"}


def make_senders(
    settings: Settings, metrics: Metrics, tracing: Tracing | None
) -> list[GuardedSender]:
    """Those that are configured, in order of preference."""
    senders = [make_sender(provider, tracing) for provider in settings.used]
    calls = _calls(settings, len(senders))
    return [GuardedSender(s, calls=calls, count=_counter_of(s, metrics)) for s in senders]


def make_dispatch(
    settings: Settings, messages: Messages, senders: Sequence[GuardedSender]
) -> Dispatch:
    by_channel: dict[Channel, list[Sender]] = {}
    for sender in senders:
        by_channel.setdefault(sender.channel, []).append(sender)
    return Dispatch(
        outbox=messages,
        codes=Codes(settings.secrets, settings.code_length, settings.fixed_codes),
        senders=by_channel or {Channel.WHATSAPP: [SandboxSender()]},
        test_sender=SandboxSender(),
        policy=Policy(
            lifetime=settings.expiry,
            max_attempts=settings.max_attempts,
            grace=settings.grace_codes,
            expose_code=settings.expose_code,
            test_numbers=frozenset(settings.test_numbers),
            sms_after=settings.sms_after,
            destinations=settings.destinations,
        ),
    )


def configuration(settings: Settings) -> dict[str, object]:
    """Of the sender that is asked first, and of the SMS that may follow."""
    described = _first(settings).describe()
    if settings.sandbox:
        described["provider"] = SandboxSender.provider
    for each in settings.used:
        if each.channel is Channel.SMS:
            described["sms"] = each.describe()
    return described


def sample_request(settings: Settings) -> dict[str, object]:
    return _first(settings).preview(Message(**SAMPLE, expires_in=settings.expiry))


def _calls(settings: Settings, senders: int) -> int:
    """That each may have under way: whichever of them stall, threads are left for the rest."""
    if settings.server == "granian":  # whose threads all count
        return max(1, settings.threads // (senders + 1))
    return CALLS // max(1, senders)


def _counter_of(sender: Sender, metrics: Metrics) -> Callable[[str, float | None], None]:
    return partial(metrics.provider_call, sender.provider, sender.channel.value)


def _first(settings: Settings) -> Provider:
    """Who is asked first, or would be."""
    return settings.provider(settings.senders[0]) if settings.senders else settings.providers[0]
