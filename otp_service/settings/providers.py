"""Which providers there are, which of them are used, and when an SMS follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from otp_service.delivery import accounts
from otp_service.delivery.provider import Provider
from otp_service.delivery.providers import PROVIDERS
from otp_service.delivery.providers.gupshup import Gupshup
from otp_service.delivery.providers.gupshup_settings import GupshupSettings
from otp_service.delivery.providers.gupshup_sms import GupshupSms
from otp_service.delivery.providers.gupshup_sms_settings import SmsSettings
from otp_service.delivery.providers.meta import Meta
from otp_service.delivery.providers.meta_settings import MetaSettings
from otp_service.domain.provider_events import ProviderEvent
from otp_service.domain.verification import Channel
from otp_service.environment import Reader

_OF_WHATSAPP = [each for each in PROVIDERS if each.channel is Channel.WHATSAPP]


@dataclass(frozen=True)
class ProviderSettings:
    """``providers`` are all of `PROVIDERS`, configured or not; ``senders`` WhatsApp's that are, by
    name, the first is asked first.
    """

    providers: tuple[Provider, ...]
    senders: tuple[str, ...]

    @property
    def used(self) -> list[Provider]:
        """Those that messages go through, in order of preference."""
        by_name = {each.name: each for each in self.providers}
        others = [each for each in self.providers if each.channel is not Channel.WHATSAPP]
        whatsapp = [by_name[name] for name in self.senders if name in by_name]
        return whatsapp + [each for each in others if not each.missing]

    @property
    def has_sms(self) -> bool:
        return any(each.channel is Channel.SMS for each in self.used)

    @property
    def sandbox(self) -> bool:
        """No WhatsApp sender is configured: messages stay on this machine."""
        return all(each.missing for each in self.providers if each.channel is Channel.WHATSAPP)

    def provider(self, name: str) -> Provider:
        return next(each for each in self.providers if each.name == name)

    def is_ours(self, event: ProviderEvent) -> bool | None:
        """Whether it is about what these use; None if it can't be told."""
        return self.provider(event.provider).is_ours(event)

    @property
    def gupshup(self) -> GupshupSettings:
        return cast(Gupshup, self.provider(Gupshup.name)).settings

    @property
    def meta(self) -> MetaSettings:
        return cast(Meta, self.provider(Meta.name)).settings

    @property
    def sms(self) -> SmsSettings:
        return cast(GupshupSms, self.provider(GupshupSms.name)).settings


def sender_is_meant(read: Reader) -> bool:
    """Whether this is no sandbox: what belongs to a real sender is set, if only half of it.

    Then all that a real sender needs is asked for at once, and not one after the other.
    """
    return bool(accounts.chosen(read, *PROVIDERS) or read.given("OTP_WHATSAPP_SENDERS"))


def providers(read: Reader) -> ProviderSettings:
    """The providers' settings; what is wrong with them is noted."""
    made = tuple(each.from_env(read) for each in PROVIDERS)
    settings = ProviderSettings(made, _senders(read, made))
    if settings.has_sms and not accounts.chosen(read, *_OF_WHATSAPP):
        read.problems += [_alone(each) for each in settings.used if each.channel is Channel.SMS]
    warnings = (warning for each in settings.used for warning in each.warnings)
    read.warnings += dict.fromkeys(warnings)
    return settings


def _alone(sms: Provider) -> str:
    first, *others = (f"{each.prefix}{each.own.split()[0]}" for each in _OF_WHATSAPP)
    named = ", or ".join([f"{first} and what belongs to it", *others])
    alone = f"{sms.prefix}{sms.own.split()[0]} is set, but no WhatsApp sender is"
    return f"{alone}: set {named}, or unset every {sms.prefix} variable"


def sms_after(read: Reader, lifetime: int, has_sms: bool) -> int:
    """Seconds without a receipt until an SMS follows: fewer than the code's ``lifetime``."""
    name = "OTP_SMS_AFTER_SECONDS"
    meaning = "An SMS follows if WhatsApp tells nothing for so long"
    seconds = read.number(name, meaning, 30, 1, 600)
    if seconds < lifetime:
        return seconds
    if read.given(name) and has_sms:
        read.problems.append(
            f"{name} must be less than OTP_EXPIRY_MINUTES: no SMS follows when the code has ended"
        )
    return max(1, lifetime // 2)


def _senders(read: Reader, made: tuple[Provider, ...]) -> tuple[str, ...]:
    name = "OTP_WHATSAPP_SENDERS"
    missing = {each.name: each.missing for each in made if each.channel is Channel.WHATSAPP}
    configured = tuple(sender for sender, lacks in missing.items() if not lacks)
    meaning = "Who is asked to send WhatsApp, in this order"
    if not (text := read.text(name, meaning).lower()):
        return configured
    named = tuple(part.strip() for part in text.split(","))
    if len(set(named)) < len(named) or not set(named) <= set(missing):
        read.problems.append(
            f"{name} must be one or more of {', '.join(missing)}, with commas, each once"
        )
    read.problems += [
        f"{name} names {sender}, which lacks {', '.join(lacks)}: set them, or leave it out"
        for sender, lacks in missing.items()
        if sender in named and lacks
    ]
    return named
