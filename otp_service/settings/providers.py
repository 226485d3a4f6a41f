"""Which senders there are, when an SMS follows, and who may deliver receipts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from otp_service.delivery import accounts as provider_accounts
from otp_service.delivery.accounts import Account
from otp_service.delivery.providers.gupshup import GupshupSettings
from otp_service.delivery.providers.gupshup_sms import SmsSettings
from otp_service.delivery.providers.meta import MetaSettings
from otp_service.environment import Reader, is_placeholder
from otp_service.settings import security
from otp_service.settings.security import Network

HOW_TO_MAKE_ONE = 'make one with: python3 -c "import secrets; print(secrets.token_urlsafe(24))"'


@dataclass(frozen=True)
class ProviderSettings:
    """``senders`` are WhatsApp's, by name; the first is asked first."""

    gupshup: GupshupSettings
    sms: SmsSettings
    meta: MetaSettings
    senders: tuple[str, ...]
    gupshup_webhook_secret: str = field(repr=False)
    gupshup_webhook_networks: tuple[Network, ...]
    gupshup_app_id: str

    @property
    def sandbox(self) -> bool:
        """No WhatsApp sender is configured: messages stay on this machine."""
        return bool(self.gupshup.missing and self.meta.missing)


def sender_is_meant(read: Reader) -> bool:
    """Whether this is no sandbox: what belongs to a real sender is set, if only half of it.

    Then all that a real sender needs is asked for at once, and not one after the other.
    """
    return bool(provider_accounts.chosen(read) or read.given("OTP_WHATSAPP_SENDERS"))


def providers(read: Reader) -> ProviderSettings:
    """The providers' settings; what is wrong with them is noted."""
    gupshup, meta = provider_accounts.gupshup(read), provider_accounts.meta(read)
    settings = ProviderSettings(
        gupshup=gupshup,
        sms=provider_accounts.sms(read),
        meta=meta,
        senders=_senders(read, {"gupshup": gupshup, "meta": meta}),
        gupshup_webhook_secret=_webhook_secret(read),
        gupshup_webhook_networks=security.networks(
            read, "GUPSHUP_WEBHOOK_IPS", "Addresses and networks that may send Gupshup's receipts"
        ),
        gupshup_app_id=read.text("GUPSHUP_APP_ID", "The app's id at Gupshup, for otp check"),
    )
    of_whatsapp = provider_accounts.chosen(read, "GUPSHUP_", "META_")
    if not (of_whatsapp or settings.sms.missing):
        read.problems.append(
            "GUPSHUP_SMS_USERID is set, but no WhatsApp sender is: set GUPSHUP_API_KEY and what "
            "belongs to it, or META_ACCESS_TOKEN, or unset every GUPSHUP_SMS_ variable"
        )
    _warn_of_lost_receipts(read, settings)
    return settings


def sms_after(read: Reader, lifetime: int, sms: SmsSettings) -> int:
    """Seconds without a receipt until an SMS follows: fewer than the code's ``lifetime``."""
    name = "OTP_SMS_AFTER_SECONDS"
    meaning = "An SMS follows if WhatsApp tells nothing for so long"
    seconds = read.number(name, meaning, 30, 1, 600)
    if seconds < lifetime:
        return seconds
    if read.given(name) and not sms.missing:
        read.problems.append(
            f"{name} must be less than OTP_EXPIRY_MINUTES: no SMS follows when the code has ended"
        )
    return max(1, lifetime // 2)


def _senders(read: Reader, accounts: Mapping[str, Account]) -> tuple[str, ...]:
    name = "OTP_WHATSAPP_SENDERS"
    configured = tuple(sender for sender in accounts if not accounts[sender].missing)
    meaning = "Who is asked to send WhatsApp, in this order"
    if not (text := read.text(name, meaning).lower()):
        return configured
    named = tuple(part.strip() for part in text.split(","))
    if len(set(named)) < len(named) or not set(named) <= set(accounts):
        read.problems.append(
            f"{name} must be one or more of {', '.join(accounts)}, with commas, each once"
        )
    read.problems += [
        f"{name} names {sender}, which lacks {', '.join(accounts[sender].missing)}: set them, or "
        "leave it out"
        for sender in accounts
        if sender in named and sender not in configured
    ]
    return named


def _webhook_secret(read: Reader) -> str:
    secret = read.secret("GUPSHUP_WEBHOOK_SECRET", "What Gupshup's receipts must bring along")
    if is_placeholder(secret):
        read.problems.append("GUPSHUP_WEBHOOK_SECRET still holds the example's placeholder")
    elif secret and len(secret) < 16:
        read.warnings.append(
            f"GUPSHUP_WEBHOOK_SECRET is short, so it is easier to guess: {HOW_TO_MAKE_ONE}"
        )
    return secret


def _warn_of_lost_receipts(read: Reader, settings: ProviderSettings) -> None:
    lost = "receipts are refused, and nobody learns whether a message arrived"
    through_gupshup = "gupshup" in settings.senders or not settings.sms.missing
    if through_gupshup and not settings.gupshup_webhook_secret:
        read.warnings.append(f"GUPSHUP_WEBHOOK_SECRET is not set: {lost}; {HOW_TO_MAKE_ONE}")
    for name in ("app_secret", "verify_token"):
        if "meta" in settings.senders and not getattr(settings.meta, name):
            read.warnings.append(f"META_{name.upper()} is not set: Meta's {lost}")
