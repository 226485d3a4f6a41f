"""What every sender over HTTP does the same way: one request, one deadline, nothing told."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from http.client import HTTPException
from typing import Any, Protocol

import requests
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from otp_service.delivery.answers import Answer, Said, read
from otp_service.delivery.untrusted import digits
from otp_service.delivery.wire import CONNECT, NotReached, Session, read_body
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError, delivery_error
from otp_service.domain.ports import Message
from otp_service.domain.verification import Channel

DEADLINE = 8.0  # seconds, for a whole send


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
        self._timeout = Timeout(connect=min(CONNECT, deadline / 3), total=deadline)
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
            request = self._session.prepare_request(self._request(message))
            for value in request.headers.values():
                value.encode("latin-1")  # http.client would, with the socket open
            self._session.get_adapter(str(request.url))
        except ValueError:  # its text may be the key's
            return delivery_error(failures.NOT_CONFIGURED, f"{self.unusable} can't be used")
        answer = self._exchange(request)
        if isinstance(answer, DeliveryError):
            return answer
        phone = digits(message.phone)[:-4]  # all that a masked phone doesn't show
        secrets = [*self._secrets(), message.code, phone]
        return read(answer, self._understood(answer.body), self.family, *secrets)

    def _exchange(self, request: requests.PreparedRequest) -> Answer | DeliveryError:
        timeout: Any = self._timeout  # requests takes urllib3's, its type stubs don't know
        try:
            with self._session.send(
                request, stream=True, timeout=timeout, allow_redirects=False
            ) as response:
                retry_after = response.headers.get("Retry-After", "")
                return Answer(response.status_code, read_body(response), retry_after)
        except NotReached as trouble:
            return delivery_error(failures.PROVIDER_DOWN, f"no connection: {trouble}")
        except (OSError, HTTPException, HTTPError, ValueError) as trouble:
            # There was a connection, so the request may be out. Only the type is safe to tell.
            return delivery_error(
                failures.UNCONFIRMED, f"no usable answer: {type(trouble).__name__}"
            )

    @property
    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = Session()
        session: requests.Session = self._local.session
        return session


def masked(key: str) -> str:
    """A key as a debug page may show it: its last 4 characters, if it is long enough."""
    return key and "••••" + (key[-4:] if len(key) >= 12 else "")
