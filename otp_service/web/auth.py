"""Who may call what. Each blueprint declares its scope, and `PUBLIC` is a declaration too."""

from __future__ import annotations

from collections.abc import Callable

from flask import g, request

from otp_service.domain.errors import OtpError, StorageUnavailable
from otp_service.web.errors import Forbidden, Unauthorized
from otp_service.web.known_clients import presented_key
from otp_service.web.parts import parts

PUBLIC = "public"
WEBHOOK = "webhook"
"""A provider calls, which has no key of ours: the blueprint checks by itself."""
OTP = "otp"
READ = "read"
ADMIN = "admin"
SCOPES = (OTP, READ, ADMIN)

ANYONE = "public"
"""The client that all calls belong to where no keys are required."""


def requires(scope: str) -> Callable[[], None]:
    """A before-request function that lets only keys with ``scope`` through."""

    def check() -> None:
        g.client = ANYONE
        keys = parts().keys
        if scope in (PUBLIC, WEBHOOK) or keys is None:
            return
        key = presented_key(request.headers)
        holder = keys.find(key)
        if holder is None:
            raise Unauthorized
        parts().clients.let_in(key)
        g.client, scopes = holder
        if scope not in scopes:
            raise Forbidden

    return check


def client() -> str:
    """Who is calling."""
    return str(g.client)


def refusals(scope: str) -> list[type[OtpError]]:
    """What `requires` may raise, for the API's documentation."""
    return [] if scope in (PUBLIC, WEBHOOK) else [Unauthorized, Forbidden, StorageUnavailable]
