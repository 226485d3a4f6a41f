"""A message, as it was asked for and as it fares, and the ids it gets."""

from __future__ import annotations

import random
import re
import uuid
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime, timezone


def now() -> datetime:
    return datetime.now(timezone.utc)


def international(number: str) -> str:
    """``+`` and the digits of a number, however it is written."""
    return "+" + re.sub("[^0-9]", "", number)


@dataclass
class Draft:
    """What a send call asked for. ``copies`` is what the button copies, None without one."""

    provider: str  # gupshup, enterprise or meta
    channel: str
    phone: str  # +919876543210
    sender: str
    template: str
    params: list[str]
    text: str
    code: str
    language: str = ""  # Meta's requests name it; Gupshup's template id fixes it
    copies: str | None = None
    opaque: str | None = None  # Meta's biz_opaque_callback_data


@dataclass(frozen=True)
class Callback:
    """One try to send a receipt. ``answer`` is the receiver's status, or why there is none."""

    receipt: str
    at: datetime
    answer: str


@dataclass
class Message(Draft):
    """``status`` is the last thing that was reported or would be: refused, submitted, sent, …

    ``arrived``: whether the phone shows it.
    """

    id: str = ""
    whatsapp_id: str = ""
    at: datetime = field(default_factory=now)
    fault: str = "ok"
    answer: str = ""
    status: str = "submitted"
    arrived: bool = True
    callbacks: list[Callback] = field(default_factory=list)

    @property
    def random(self) -> random.Random:
        """This message's own: the same for the same seed, whatever others did meanwhile."""
        return random.Random(self.id)  # noqa: S311 (repeatable is the point)


def new_id(rng: random.Random, provider: str) -> str:
    """As this provider's send call answers it."""
    if provider == "enterprise":
        return str(rng.randrange(10**9, 10**10))
    if provider == "meta":
        return _wamid(rng)
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def new_whatsapp_id(rng: random.Random, message_id: str, quirks: set[str]) -> str:
    """By which WhatsApp knows the message; Meta's own id is the same."""
    if message_id.startswith("wamid."):
        return message_id
    if "uuid-ids" in quirks:
        return str(uuid.UUID(int=rng.getrandbits(128), version=4))
    return _wamid(rng, "gBEG" if "gbeg-ids" in quirks else "wamid.HBgM")


def _wamid(rng: random.Random, prefix: str = "wamid.HBgM") -> str:
    return prefix + b64encode(rng.randbytes(24)).decode().replace("/", "_").replace("+", "-")
