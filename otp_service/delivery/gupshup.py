"""WhatsApp through Gupshup's template API (docs.gupshup.io/docs/template-messages)."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

import requests
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from otp_service.delivery.outcomes import Answer, Kind, error, read
from otp_service.delivery.wire import CONNECT, NotReached, Session, read_body
from otp_service.domain.errors import DeliveryError
from otp_service.domain.ports import Message
from otp_service.domain.verification import Channel

API_URL = "https://api.gupshup.io/wa/api/v1/template/msg"
DEADLINE = 8.0  # seconds, for a whole send


@dataclass(frozen=True)
class GupshupSettings:
    """The ``GUPSHUP_*`` variables. ``param_count``: how often the template takes the code.

    A template with a copy-code button takes it twice: for the text and for the button.
    """

    api_key: str = field(default="", repr=False)
    source: str = ""
    template_id: str = ""
    src_name: str = ""
    api_url: str = API_URL
    param_count: int = 1

    @property
    def missing(self) -> list[str]:
        """Names of the environment variables without which nothing can be sent."""
        names = ("api_key", "source", "template_id", "src_name")
        return [f"GUPSHUP_{name.upper()}" for name in names if not getattr(self, name).strip()]


def build_request(settings: GupshupSettings, message: Message) -> requests.Request:
    """The request that sends ``message``, not yet encoded; needs no complete settings."""
    template = {"id": settings.template_id, "params": [message.code] * settings.param_count}
    form = {
        "channel": "whatsapp",
        "source": _digits(settings.source),
        "src.name": settings.src_name,
        "destination": _digits(message.phone),
        "template": json.dumps(template),
    }
    kind = "application/x-www-form-urlencoded"
    headers = {"apikey": settings.api_key, "Content-Type": kind}
    return requests.Request("POST", settings.api_url, headers=headers, data=form)


def preview(settings: GupshupSettings, message: Message) -> dict[str, object]:
    """The exact request, with the key masked. It shows the code: for debug pages only."""
    request = build_request(settings, message)
    headers = {**request.headers, "apikey": _mask(settings.api_key)}
    return {"method": request.method, "url": request.url, "headers": headers, "form": request.data}


def describe(settings: GupshupSettings) -> dict[str, object]:
    """The settings as a debug page may show them: the key is masked to its last 4 characters."""
    return {
        "provider": GupshupSender.provider,
        "api_url": settings.api_url,
        "api_key": _mask(settings.api_key),
        "source": settings.source,
        "template_id": settings.template_id,
        "src_name": settings.src_name,
        "param_count": settings.param_count,
        "missing": settings.missing,
    }


class GupshupSender:
    """A `Sender`. Safe to share between threads: each has its own connection.

    ``deadline`` is in seconds and covers a whole send: name lookup to the answer's last byte.
    """

    provider = "gupshup"
    channel = Channel.WHATSAPP

    def __init__(self, settings: GupshupSettings, *, deadline: float = DEADLINE) -> None:
        self._settings = settings
        self._timeout = Timeout(connect=min(CONNECT, deadline / 3), total=deadline)
        self._local = threading.local()

    def send(self, message: Message) -> str:
        """See `Sender.send`. 2xx means accepted; a receipt tells later whether it arrived."""
        outcome = self._outcome(message)
        if isinstance(outcome, DeliveryError):
            raise outcome  # here, where neither a context nor a frame holds the request
        return outcome

    def _outcome(self, message: Message) -> str | DeliveryError:
        if missing := self._settings.missing:
            return error(Kind.CONFIG, f"not set: {', '.join(missing)}")
        try:
            request = self._session.prepare_request(build_request(self._settings, message))
            self._settings.api_key.encode("latin-1")  # http.client would, with the socket open
            self._session.get_adapter(str(request.url))
        except ValueError:  # its text may be the key's
            return error(Kind.CONFIG, "GUPSHUP_API_URL or GUPSHUP_API_KEY can't be used")
        answer = self._exchange(request)
        if isinstance(answer, DeliveryError):
            return answer
        phone = _digits(message.phone)[:-4]  # all that a masked phone doesn't show
        return read(answer, self._settings.api_key, message.code, phone)

    def _exchange(self, request: requests.PreparedRequest) -> Answer | DeliveryError:
        timeout: Any = self._timeout  # requests takes urllib3's, its type stubs don't know
        try:
            with self._session.send(
                request, stream=True, timeout=timeout, allow_redirects=False
            ) as response:
                retry_after = response.headers.get("Retry-After", "")
                return Answer(response.status_code, read_body(response), retry_after)
        except NotReached as trouble:
            return error(Kind.TEMPORARY, f"no connection: {trouble}")
        except (OSError, HTTPException, HTTPError, ValueError) as trouble:
            # There was a connection, so the request may be out. Only the type is safe to tell.
            return error(Kind.AMBIGUOUS, f"no usable answer: {type(trouble).__name__}")

    @property
    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = Session()
        session: requests.Session = self._local.session
        return session


def _digits(number: str) -> str:
    return "".join(char for char in number if char in "0123456789")


def _mask(key: str) -> str:
    return key and "••••" + (key[-4:] if len(key) >= 12 else "")
