"""One provider a file, with its settings and its receipts beside it; and the list of them."""

from __future__ import annotations

from otp_service.delivery.provider import Provider
from otp_service.delivery.providers.gupshup import Gupshup
from otp_service.delivery.providers.gupshup_sms import GupshupSms
from otp_service.delivery.providers.meta import Meta

PROVIDERS: tuple[type[Provider], ...] = (Gupshup, Meta, GupshupSms)
"""All of them; of a channel the first that is configured is asked first."""
