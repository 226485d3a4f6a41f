"""How a provider tells later what became of messages: what it calls, with what, and how it shows
that it is the one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from otp_service.domain.messages import Receipt
from otp_service.domain.provider_events import ProviderEvent
from otp_service.domain.values import value

Network = IPv4Network | IPv6Network
MAX_BODY_BYTES = 256 * 1024
LARGE = {"/webhooks/meta": 3 * 1024 * 1024}
"""Where more may come: Meta tells of up to 1,000 messages at once, and in 3 MB."""


def alternatives(secret: str) -> list[str]:
    """Those that hold: two while one is replaced, with a bar between; none of an empty text."""
    return [part for part in secret.split("|") if part]


@value
class SharedSecret:
    """One, or `alternatives`. Travels as ``Authorization`` or in the query as ``token``. Without
    one nobody is let in; without ``networks`` from any address.
    """

    secret: str = field(repr=False)
    networks: tuple[Network, ...] = ()


@value
class Signature:
    """Of the body's very bytes, in the ``header``."""

    header: str
    is_authentic: Callable[[bytes, str | None], bool]


class Body(Enum):
    """Where a callback has what it tells, and as what it is handed to its reader."""

    JSON = "one JSON object"
    QUERY = "the query's parameters, as a mapping of texts"
    FORM_OR_TEXT = "a form as such a mapping, or else the body's text"


def _no_events(body: Any) -> list[ProviderEvent]:
    return []


@value
class Callback:
    """``POST path``, or GET where all is in the query. ``name`` and ``description`` document it,
    with an ``example`` of its body.
    """

    path: str
    name: str
    description: str
    authentication: SharedSecret | Signature
    body: Body
    read: Callable[[Any], list[Receipt]]
    read_events: Callable[[Any], list[ProviderEvent]] = _no_events
    example: Any = None

    @property
    def max_bytes(self) -> int:
        return LARGE.get(self.path, MAX_BODY_BYTES)


@value
class Handshake:
    """``GET path``, before the first callback: Meta asks, once, whether the address is ours."""

    path: str
    name: str
    description: str
    verify_token: str = field(repr=False)
