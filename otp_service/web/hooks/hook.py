"""What a hook is: how another sign-in system hands over a code of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

from otp_service.domain.errors import OtpError
from otp_service.domain.values import value
from otp_service.web.error_handlers import STATUS

Json = dict[str, Any]
Header = Callable[[str], str]
"""A request's header by its name; empty where there is none."""
Secrets = Sequence[bytes]
LOGIN = "login"


@value
class Wanted:
    """A code to deliver. ``locale`` and ``address`` are as the domain reads them.

    ``repeat`` is what all tries of one request share; None where only their bodies are the same.
    """

    phone: str
    code: str = field(repr=False)
    purpose: str = LOGIN
    locale: str | None = None
    address: str | None = field(default=None, repr=False)
    repeat: str | None = None


@value
class Answer:
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@value
class Format:
    """How one system speaks. ``name`` is the last part of the path, ``system`` its own name.

    ``signed_with`` is given the raw body, the headers, the secrets and the time in seconds, and
    answers with the secret that the caller showed to have, or None. ``read`` raises
    `InvalidRequest` for what it can't read. ``header`` is where the signature or token is.
    """

    name: str
    system: str
    setting: str
    header: str
    signed_with: Callable[[bytes, Header, Secrets, float], bytes | None]
    read: Callable[[Json], Wanted]
    done: Answer
    refused: Callable[[OtpError], Answer]
    signature: str
    """How it shows that it is the one, for the API's document."""
    schema: Json
    """Of its body, as far as it is read: JSON Schema."""
    example: Json
    repeats: bool = False
    """Whether its message has an id that all tries share."""

    @property
    def path(self) -> str:
        return f"/hooks/{self.name}"


@value
class Hook:
    """One that is on: ``secrets`` are those that hold, ``channel`` is that of its messages."""

    format: Format
    secrets: Secrets = field(repr=False)
    channel: str

    @property
    def client(self) -> str:
        """Whose messages these are."""
        return f"hook:{self.format.name}"


def status_of(error: OtpError) -> int:
    return STATUS[type(error)]


def headers_of(error: OtpError) -> dict[str, str]:
    """What else than its status an answer tells programs of a refusal."""
    challenge: str | None = getattr(error, "challenge", None)
    return {"WWW-Authenticate": challenge} if challenge else {}


def retry_after(error: OtpError) -> dict[str, str]:
    return {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
