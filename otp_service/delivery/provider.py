"""What a provider is: its account, its request, its answer, what it calls later."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

import requests

from otp_service.delivery.failure_reasons import Trouble
from otp_service.domain.callbacks import Callback, Handshake
from otp_service.domain.messages import Message
from otp_service.domain.provider_events import ProviderEvent
from otp_service.domain.verification import Channel
from otp_service.environment import Reader

_HIDDEN = "••••"
LOST = "receipts are refused, and nobody learns whether a message arrived"


@dataclass(frozen=True)
class ProviderAnswer:
    """What a body says, whichever way its provider writes it; ``trouble`` is looked for only where
    the message was not taken.
    """

    message_id: str | None = None
    refused: bool = False
    trouble: Callable[[], Trouble] = Trouble


class Account(Protocol):
    """A provider's settings; ``missing`` as `Provider.missing`."""

    @property
    def api_url(self) -> str: ...

    @property
    def missing(self) -> list[str]: ...


class Provider(ABC):
    """One of `delivery.providers.PROVIDERS`, as the settings have it; it may lack some of them.

    ``name`` never changes: stored messages have it; ``title`` is for people. ``family`` names its
    failure codes, ``prefix`` its variables, of which ``own`` are of use to nothing else, and
    ``unusable`` those that a request may fail of.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    channel: ClassVar[Channel]
    family: ClassVar[str]
    prefix: ClassVar[str]
    own: ClassVar[str]
    unusable: ClassVar[str]

    @classmethod
    @abstractmethod
    def from_env(cls, read: Reader) -> Provider:
        """As the environment has it; what is wrong with that is noted."""

    def __init__(self, settings: Account) -> None:
        self.settings = settings

    @property
    def api_url(self) -> str:
        return self.settings.api_url

    @property
    def missing(self) -> list[str]:
        """Names of the variables without which nothing can be sent."""
        return self.settings.missing

    @property
    @abstractmethod
    def secrets(self) -> list[str]:
        """What no error may hold."""

    @property
    def warnings(self) -> Iterable[str]:
        """What else should be set once messages go this way, such as the secret of receipts."""
        return ()

    @property
    def callbacks(self) -> Sequence[Callback | Handshake]:
        """What it calls here, whether it is used or not: then it is refused."""
        return ()

    @abstractmethod
    def request(self, message: Message) -> requests.Request:
        """The request that sends ``message``, not yet encoded; needs no complete account."""

    @abstractmethod
    def read(self, body: bytes) -> ProviderAnswer:
        """What an answer says."""

    @abstractmethod
    def describe(self) -> dict[str, object]:
        """Its settings as a debug page may show them: secrets are masked."""

    @abstractmethod
    def preview(self, message: Message) -> dict[str, object]:
        """The exact request, with secrets masked. It shows the code: for debug pages only."""

    def is_ours(self, event: ProviderEvent) -> bool | None:
        """Whether an event is about what is used here; None if it can't be told."""
        return None


def previewed(request: requests.Request, **changed: object) -> dict[str, object]:
    """A request as a debug page may show it, but for ``changed``."""
    shown = {"method": request.method, "url": masked_url(request.url)}
    return {**shown, "headers": dict(request.headers), **changed}


def masked_url(url: str) -> str:
    """A URL as a debug page may show it: without a user's name and password, and of what the query
    says the names only.
    """
    try:
        found = urlsplit(url)
        query = parse_qsl(found.query, keep_blank_values=True)
    except ValueError:
        return _HIDDEN
    _user, at, host = found.netloc.rpartition("@")
    place = f"{_HIDDEN}@{host}" if at else host
    # What has no value may be one itself.
    shown = "&".join(f"{quote(name)}={_HIDDEN}" if value else _HIDDEN for name, value in query)
    return urlunsplit((found.scheme, place, found.path, shown, _HIDDEN if found.fragment else ""))


def masked(key: str) -> str:
    """A key as a debug page may show it: its last 4 characters, if it is long enough."""
    return key and "••••" + (key[-4:] if len(key) >= 12 else "")
