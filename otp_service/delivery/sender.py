"""What every sender over HTTP does the same way: one request, one deadline, nothing told."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Protocol
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

import requests

from otp_service.delivery.answers import Said, read
from otp_service.delivery.http import exchange, prepared
from otp_service.delivery.http_connection import Session
from otp_service.delivery.parsing import digits
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError, delivery_error
from otp_service.domain.messages import Message
from otp_service.domain.verification import Channel

_HIDDEN = "••••"


class ProviderSettings(Protocol):
    """``missing``: names of the environment variables without which nothing can be sent."""

    @property
    def missing(self) -> list[str]: ...


class HttpSender(ABC):
    """A `Sender`. Safe to share between threads: each has its own connection.

    ``family`` names its failure codes, ``unusable`` the variables that a request may fail of.
    ``deadline`` is in seconds and covers a whole send: name lookup to the answer's last byte.
    """

    provider: str
    channel: Channel
    family: str
    unusable: str
    is_available = True

    def __init__(self, settings: ProviderSettings, deadline: float) -> None:
        self._missing = settings.missing
        self._deadline = deadline
        self._local = threading.local()

    @abstractmethod
    def _request(self, message: Message) -> requests.Request: ...

    @abstractmethod
    def _secrets(self) -> list[str]: ...

    @abstractmethod
    def _understood(self, body: bytes) -> Said: ...

    def send(self, message: Message) -> str:
        """See `Sender.send`. 2xx means accepted; a receipt tells later whether it arrived."""
        outcome = self._outcome(message)
        if isinstance(outcome, DeliveryError):
            raise outcome  # here, where neither a context nor a frame holds the request
        return outcome

    def _outcome(self, message: Message) -> str | DeliveryError:
        if self._missing:
            return delivery_error(failures.NOT_CONFIGURED, f"not set: {', '.join(self._missing)}")
        try:
            request = prepared(self._session, self._request(message))
        except ValueError:  # its text may be the key's
            return delivery_error(failures.NOT_CONFIGURED, f"{self.unusable} can't be used")
        answer = exchange(self._session, request, self._deadline)
        if isinstance(answer, DeliveryError):
            return answer
        phone = digits(message.phone)[:-4]  # all that a masked phone doesn't show
        secrets = [*self._secrets(), message.code, phone]
        return read(answer, self._understood(answer.body), self.family, *secrets)

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
