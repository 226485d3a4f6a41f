"""Verifies that an event is this service's: Standard Webhooks 1.0, symmetric signatures."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import time as clock
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from otp_client.errors import OtpClientError
from otp_client.reading import read

TOLERANCE = 300  # seconds that the sender's clock and ours may differ, as Standard Webhooks has it
PREFIX = "whsec_"


class Headers(Protocol):
    """Those of any framework, and a plain dict."""

    def items(self) -> Iterable[tuple[str, str]]: ...


class InvalidEvent(OtpClientError):
    """It is not from the service, too old, or no event: answer 400, and believe nothing of it."""


@dataclass(frozen=True, slots=True)
class EventData:
    """``verification_id``, or of a code that was only delivered ``message_id``.

    ``failure`` is a stable code, ``reason`` the provider's words. ``phone_number`` is None where
    the endpoint was added with ``--no-phone``, ``client`` where it gets one client's events only.
    """

    verification_id: str | None = None
    message_id: str | None = None
    phone_number: str | None = field(default=None, repr=False)
    purpose: str | None = None
    channel: str | None = None
    status: str | None = None
    failure: str | None = None
    reason: str | None = None
    client: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Told at least once: ``id`` is the same when it is told again."""

    id: str
    type: str
    timestamp: datetime
    data: EventData


class EventVerifier:
    """Holds an endpoint's secrets: one, or the old and the new one while it is replaced."""

    def __init__(self, secrets: str | Iterable[str], tolerance: float = TOLERANCE) -> None:
        """``secrets`` begin with ``whsec_``. Raises `ValueError` for what is none."""
        several = [secrets] if isinstance(secrets, str) else list(secrets)
        self._keys = [_key(each) for each in several]
        if not self._keys:
            raise ValueError("there must be a secret")
        self._tolerance = tolerance

    def verify(self, body: bytes, headers: Headers, *, now: float | None = None) -> Event:
        """The event, if its signature and its time are right. Raises `InvalidEvent`.

        ``body`` is the raw body as it came, ``headers`` in any spelling; ``now`` is for tests.
        """
        named = {name.lower(): value for name, value in headers.items()}
        id_, sent_at = _header(named, "id"), _header(named, "timestamp")
        if not self._fresh(sent_at, clock.time() if now is None else now):
            raise InvalidEvent("its timestamp is no time of the last minutes")
        if not self._signed(f"{id_}.{sent_at}.".encode() + body, _header(named, "signature")):
            raise InvalidEvent("no signature of it is right")
        return _event(id_, body)

    def _fresh(self, sent_at: str, now: float) -> bool:
        plain = re.fullmatch("[0-9]{1,12}", sent_at)
        return plain is not None and abs(now - int(sent_at)) <= self._tolerance

    def _signed(self, content: bytes, signatures: str) -> bool:
        """Whether any of ours is any of theirs; each pair is compared in constant time."""
        right = [hmac.digest(key, content, hashlib.sha256) for key in self._keys]
        theirs = [_decoded(each[3:]) for each in signatures.split() if each.startswith("v1,")]
        pairs = [hmac.compare_digest(ours, each) for ours in right for each in theirs]
        return any(pairs)


def _key(secret: str) -> bytes:
    encoded = secret.strip().removeprefix(PREFIX)
    key = _decoded(encoded)
    if not key:
        raise ValueError(f"an event secret is {PREFIX} and base64")
    return key


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _header(headers: Mapping[str, str], name: str) -> str:
    found = headers.get(f"webhook-{name}")
    if not found:
        raise InvalidEvent(f"it has no webhook-{name}")
    return found


def _event(id_: str, body: bytes) -> Event:
    try:
        document = json.loads(body)
        return read(Event, {**document, "id": id_})
    except (ValueError, TypeError, RecursionError):
        raise InvalidEvent("its body is no event") from None
