"""Whether a request was signed with one of the secrets, in constant time, and is fresh."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable

TOLERANCE = 300  # seconds, as Standard Webhooks and Zitadel have it, here both ways
HEX = re.compile("[0-9a-f]{64}")
"""An HMAC with SHA-256, as it travels."""
_SECONDS = re.compile("[0-9]{1,11}")


def hmac_sha256(secret: bytes, *parts: bytes) -> bytes:
    keyed = hmac.new(secret, digestmod=hashlib.sha256)
    for part in parts:
        keyed.update(part)
    return keyed.digest()


def is_fresh(sent: str, now: float) -> bool:
    """Whether ``sent``, in seconds since 1970, is no further from now than clocks may be."""
    return bool(_SECONDS.fullmatch(sent)) and abs(now - int(sent)) <= TOLERANCE


def matching(
    secrets: Iterable[bytes], sign: Callable[[bytes], bytes], shown: Iterable[bytes]
) -> bytes | None:
    """The secret that makes one of the signatures ``shown``; each is tried, whichever is right."""
    theirs, found = list(shown), None
    for secret in secrets:
        ours = sign(secret)
        if sum(hmac.compare_digest(ours, each) for each in theirs):
            found = secret
    return found
