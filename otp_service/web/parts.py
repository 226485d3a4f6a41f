"""What `create_app` hands to the views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from flask import Flask, current_app

from otp_service.domain.service import OtpService

Description = dict[str, Any]


class Keys(Protocol):
    """The API keys that exist."""

    def find(self, key: str) -> tuple[str, frozenset[str]] | None:
        """The client that holds ``key`` and its scopes, or None. May raise `StorageUnavailable`."""


@dataclass(frozen=True)
class Parts:
    """``provider`` is the WhatsApp sender's name; ``keys`` is None where none are required.

    ``start`` begins what runs beside requests, in each process that serves.
    """

    service: OtpService
    keys: Keys | None
    provider: str
    sender_configuration: Callable[[], Description]
    sample_request: Callable[[], Description]
    start: Callable[[], None]


def parts_of(app: Flask) -> Parts:
    return cast(Parts, app.extensions["otp_service"])


def parts() -> Parts:
    return parts_of(current_app)


def service() -> OtpService:
    return parts().service
