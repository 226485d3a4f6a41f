"""A sender over HTTP: one request, one deadline, nothing told; and what each provider gives it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

import requests

from otp_service.delivery import http
from otp_service.delivery.failure_reasons import Trouble
from otp_service.delivery.http import DEADLINE
from otp_service.delivery.http_connection import Session
from otp_service.delivery.parsing import digits
from otp_service.delivery.refusals import error_of
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError, delivery_error
from otp_service.domain.messages import Message
from otp_service.domain.verification import Channel

_HIDDEN = "••••"


@dataclass(frozen=True)
class ProviderAnswer:
    """What a body says, whichever way its provider writes it; ``trouble`` is looked for only where
    the message was not taken.
    """

    message_id: str | None = None
    refused: bool = False
    trouble: Callable[[], Trouble] = Trouble

    def accepted(self, status: int) -> str | None:
        """The message id, if an answer with this HTTP status took the message."""
        return self.message_id if 200 <= status < 300 and not self.refused else None


class Provider(ABC):
    """How a provider is asked to carry a message, and what it answers.

    ``family`` names its failure codes, ``unusable`` the variables that a request may fail of;
    ``missing`` are those without which nothing can be sent.
    """

    name: str
    channel: Channel
    family: str
    unusable: str

    @property
    @abstractmethod
    def missing(self) -> list[str]: ...

    @property
    @abstractmethod
    def secrets(self) -> list[str]:
        """What no error may hold."""

    @abstractmethod
    def request(self, message: Message) -> requests.Request:
        """The request that sends ``message``, not yet encoded; needs no complete settings."""

    @abstractmethod
    def read(self, body: bytes) -> ProviderAnswer: ...


class HttpSender:
    """A `Sender`. Safe to share between threads: each has its own connection.

    ``deadline`` is in seconds and covers a whole send: name lookup to the answer's last byte.
    """

    is_available = True

    def __init__(self, provider: Provider, *, deadline: float = DEADLINE) -> None:
        self.provider = provider.name
        self.channel = provider.channel
        self._of = provider
        self._missing = provider.missing
        self._deadline = deadline
        self._local = threading.local()

    def send(self, message: Message) -> str:
        """See `Sender.send`. 2xx means accepted; a receipt tells later whether it arrived."""
        outcome = self._outcome(message)
        if isinstance(outcome, DeliveryError):
            raise outcome  # here, where neither a context nor a frame holds the request
        return outcome

    def _outcome(self, message: Message) -> str | DeliveryError:
        if self._missing:
            return delivery_error(failures.NOT_CONFIGURED, f"not set: {', '.join(self._missing)}")
        session, request = self._session, self._of.request(message)
        answer = http.send(session, request, self._deadline, unusable=self._of.unusable)
        if isinstance(answer, DeliveryError):
            return answer
        read = self._of.read(answer.body)
        if message_id := read.accepted(answer.status):
            return message_id
        phone = digits(message.phone)[:-4]  # all that a masked phone doesn't show
        secrets = [*self._of.secrets, message.code, phone]
        trouble = read.trouble()
        return error_of(answer, trouble, self._of.family, *secrets, refused=read.refused)

    @property
    def _session(self) -> Session:
        if not hasattr(self._local, "session"):
            self._local.session = Session()
        session: Session = self._local.session
        return session


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
