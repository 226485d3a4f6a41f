"""Who may call what. Each blueprint declares its scope, and `PUBLIC` is a declaration too."""

from __future__ import annotations

from collections.abc import Callable

from flask import g, request

from otp_service.domain.errors import OtpError, StorageUnavailable
from otp_service.web.dependencies import parts
from otp_service.web.errors import Forbidden, Unauthorized
from otp_service.web.known_clients import presented_key

PUBLIC = "public"
WEBHOOK = "webhook"
"""A provider calls, which has no key of ours: the blueprint checks by itself."""
OTP = "otp"
READ = "read"
SUPPORT = "support"
"""Looks at every client's verifications, and changes nothing."""
ADMIN = "admin"
SCOPES = (OTP, READ, SUPPORT, ADMIN)

ANYONE = "public"
"""The client that all calls belong to where no keys are required."""


def requires(scope: str, *others: str) -> Callable[[], None]:
    """A before-request function that lets only keys with ``scope`` or one of ``others`` through."""
    enough = {scope, *others}

    def check() -> None:
        g.client, g.scopes = ANYONE, frozenset()
        keys = parts().keys
        if scope in (PUBLIC, WEBHOOK) or keys is None:
            return
        key = presented_key(request.headers)
        holder = keys.find(key)
        if holder is None:
            raise Unauthorized
        parts().clients.let_in(key)
        g.client, g.scopes = holder
        if not enough & g.scopes:
            raise Forbidden

    return check


def client() -> str:
    """Who is calling."""
    return str(g.client)


def looks_at_all() -> bool:
    """Whether who is calling sees every client's verifications."""
    return SUPPORT in g.scopes


def refusals(scope: str) -> list[type[OtpError]]:
    """What `requires` may raise, for the API's documentation."""
    return [] if scope in (PUBLIC, WEBHOOK) else [Unauthorized, Forbidden, StorageUnavailable]
