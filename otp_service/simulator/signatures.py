"""Whether an event is from who it should be, as a receiver finds out: Standard Webhooks 1.0.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping

TOLERANCE = 300  # seconds that its time may differ from ours, either way
SHORTEST, LONGEST = 24, 64  # bytes of a key
PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """The key in ``whsec_`` and base64. ValueError, which does not show it, if it is none."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith(PREFIX) or not SHORTEST <= len(key) <= LONGEST:
        raise ValueError("an events' secret is whsec_ and base64 of 24 to 64 bytes")
    return key


def trouble(headers: Mapping[str, str], body: bytes, secrets: Collection[str], now: float) -> str:
    """What is wrong with its id, time and signature; empty if it was signed with one of these
    secrets. ``headers`` are named in lower case.
    """
    webhook_id, time = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not webhook_id:
        return "no webhook-id"
    if not (time.isascii() and time.isdecimal() and len(time) < 16):
        return "webhook-timestamp is no number of seconds"
    if abs(now - int(time)) > TOLERANCE:
        return f"webhook-timestamp is {abs(now - int(time)):.0f} seconds away from now"
    signed = f"{webhook_id}.{time}.".encode() + body
    given = headers.get("webhook-signature", "").split(" ")
    if not any(_is_among(given, key_of(secret), signed) for secret in secrets):
        return "webhook-signature fits none of the secrets"
    return ""


def _is_among(given: Collection[str], key: bytes, signed: bytes) -> bool:
    wanted = b"v1," + b64encode(hmac.digest(key, signed, "sha256"))
    return any(hmac.compare_digest(each.encode(), wanted) for each in given)
