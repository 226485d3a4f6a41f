"""What `create_app` hands to the views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from flask import current_app

from otp_service.domain.service import OtpService

Description = dict[str, Any]


class Keys(Protocol):
    """The API keys that exist."""

    def find(self, key: str) -> tuple[str, frozenset[str]] | None:
        """The client that holds ``key`` and its scopes, or None. May raise `StorageUnavailable`."""


@dataclass(frozen=True)
class Parts:
    """``provider`` is the WhatsApp sender's name; ``keys`` is None where none are required."""

    service: OtpService
    keys: Keys | None
    provider: str
    sender_configuration: Callable[[], Description]
    sample_request: Callable[[], Description]


def parts() -> Parts:
    return cast(Parts, current_app.extensions["otp_service"])


def service() -> OtpService:
    return parts().service
