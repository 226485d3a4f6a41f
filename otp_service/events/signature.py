"""How a receiver knows that an event is ours: Standard Webhooks 1.0, symmetric signatures.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import hmac
from base64 import b64encode

PREFIX = "whsec_"


def secret_of(key: bytes) -> str:
    """The key as its receiver gets it."""
    return PREFIX + b64encode(key).decode()


def sign(key: bytes, event_id: str, timestamp: int, body: bytes) -> str:
    """The header ``webhook-signature``; ``timestamp`` is in seconds, as ``webhook-timestamp``."""
    signed = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + b64encode(hmac.digest(key, signed, "sha256")).decode()
