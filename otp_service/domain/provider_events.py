"""What a provider tells of a template, a number or the account: before messages fail, or after."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from otp_service.domain.values import value


class Kind(str, Enum):
    """What it is about. OTHER is what this service knows nothing of."""

    TEMPLATE = "template"
    NUMBER = "number"
    ACCOUNT = "account"
    OTHER = "other"


class Level(str, Enum):
    """RISK may lead to TROUBLE, in which messages fail."""

    FINE = "fine"
    RISK = "risk"
    TROUBLE = "trouble"


@value
class ProviderEvent:
    """One of them; a newer one of the same ``topic`` takes its place.

    ``name`` and ``ref`` are the provider's name and id for what it is about, ``owner`` the app or
    the number that it belongs to. ``state`` is of a fixed set of words, ``detail`` the provider's
    own; ``at`` its aware time, None if it told none. No person's number is in it.
    """

    provider: str
    kind: Kind
    topic: str
    state: str
    level: Level
    name: str = ""
    ref: str = ""
    language: str = ""
    owner: str = ""
    detail: str = ""
    at: datetime | None = None

    @property
    def subject(self) -> str:
        """In words, such as ``template otp_login (en_US)``."""
        language = f" ({self.language})" if self.language else ""
        return f"{self.kind.value} {self.name or self.ref}".rstrip() + language
