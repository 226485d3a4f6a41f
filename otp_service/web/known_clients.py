"""Whose requests come first: told from memory alone, before a database is asked anything."""

from __future__ import annotations

import hashlib
from typing import Protocol

_CALLS = ("/send-otp", "/resend-otp", "/verify-otp", "/verifications")


class Headers(Protocol):
    """Flask's, or a dict's."""

    def get(self, name: str, default: str, /) -> str: ...


class KnownClients:
    """Those whose keys this process has let in. A place in the queue is all that they get for it:
    whether a key still holds is asked at each request.
    """

    def __init__(self) -> None:
        self._digests: set[bytes] = set()  # as many as there are keys

    def let_in(self, key: str) -> None:
        self._digests.add(digest(key))

    def has(self, key: str) -> bool:
        return digest(key) in self._digests


def presented_key(headers: Headers) -> str:
    """From ``Authorization: Bearer KEY`` (RFC 6750) or ``X-API-Key: KEY``."""
    kind, _, key = headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return key.strip()
    return headers.get("X-API-Key", "").strip()


def is_call(path: str) -> bool:
    """Whether it is what clients come for: all there is to go by where they have no keys."""
    return path.startswith(_CALLS)


def digest(key: str) -> bytes:
    """Of any text that a header can hold: all are of one length."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
