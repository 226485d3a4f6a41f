"""Who may call what. Each blueprint declares its scope, and `PUBLIC` is a declaration too."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

from flask import Flask, g

from otp_service.domain.errors import OtpError, StorageUnavailable
from otp_service.web.errors import Forbidden, Unauthorized
from otp_service.web.unproxied import header, the_g, the_request

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

_TWILIO = "/twilio/"
"""Below it a key is the password of HTTP Basic (RFC 7617), as Twilio's clients send it."""
_CLIENTS_PATHS = ("/send-otp", "/resend-otp", "/verify-otp", "/verifications", "/messages", _TWILIO)


class Headers(Protocol):
    """Flask's, or a dict's."""

    def get(self, name: str, default: str, /) -> str: ...


class Keys(Protocol):
    """The API keys that exist."""

    def find(self, key: str) -> tuple[str, frozenset[str]] | None:
        """The client that holds ``key`` and its scopes, or None. May raise `StorageUnavailable`."""


class Clients:
    """Who holds which of the ``keys``; anyone may call where they are None."""

    def __init__(self, keys: Keys | None) -> None:
        self._keys = keys
        self._let_in: set[bytes] = set()  # digests: as many as there are keys

    def let_in(self, scopes: frozenset[str]) -> None:
        """Refuse who has no key with one of ``scopes``; ``g.client`` is who is calling."""
        asked, here = the_request(), the_g()
        here.client, here.scopes = ANYONE, frozenset()
        if self._keys is None or scopes.isdisjoint(SCOPES):
            return
        shown = header(asked, "Authorization"), header(asked, "X-API-Key")
        key = _presented_key(asked.path, *shown)
        of_key = digest(key)
        holder = self._keys.find(key)
        if holder is None:
            raise Unauthorized
        self._let_in.add(of_key)
        here.client, here.scopes = holder
        if scopes.isdisjoint(here.scopes):
            raise Forbidden

    def is_of_client(self, path: str, headers: Headers) -> bool:
        """Whether a request is to overtake those of strangers: told from memory alone.

        A place in the queue is all that a key gets for having been let in once: whether it still
        holds is asked at each request. Where there are no keys, all there is to go by is the path.
        """
        if self._keys is None:
            return path.startswith(_CLIENTS_PATHS)
        shown = headers.get("Authorization", ""), headers.get("X-API-Key", "")
        return digest(_presented_key(path, *shown)) in self._let_in


def init_app(app: Flask, clients: Clients, scopes: Mapping[str, frozenset[str]]) -> None:
    """``scopes``: one of these a key must have, by the name of the blueprint that is called."""

    def check() -> None:
        called = the_request().blueprint
        if called is not None:  # static files have none, nor has what is not found
            clients.let_in(scopes[called])

    app.before_request(check)


def _presented_key(path: str, authorization: str | None, api_key: str | None) -> str:
    """From ``Authorization: Bearer KEY`` (RFC 6750) or ``X-API-Key: KEY``."""
    kind, _, key = (authorization or "").partition(" ")
    if kind.lower() == "basic" and path.startswith(_TWILIO):
        key = _password(key)
    elif kind.lower() != "bearer":
        key = api_key or ""
    return key.strip()


def _password(credentials: str) -> str:
    """Empty if these are none."""
    pair = b""
    with suppress(binascii.Error, ValueError):  # the latter where it is not ASCII
        pair = base64.b64decode(credentials.strip(), validate=True)
    return pair.decode("latin-1").partition(":")[2]


def digest(text: str) -> bytes:
    """Of any text that a header can hold: all are of one length."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def looks_at_all() -> bool:
    """Whether who is calling sees every client's verifications."""
    return SUPPORT in g.scopes


def refusals(scope: str) -> list[type[OtpError]]:
    """What a call may be refused with by `Clients.let_in`, for the API's documentation."""
    return [] if scope in (PUBLIC, WEBHOOK) else [Unauthorized, Forbidden, StorageUnavailable]
