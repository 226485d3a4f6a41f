"""WhatsApp through Gupshup's template API (docs.gupshup.io/docs/template-messages).

The first half says what is sent; the second half is HTTP that keeps its promises: 8 seconds for
everything, no redirect, no second try, and an answer of 64 KiB at most.
"""

from __future__ import annotations

import io
import json
import queue
import socket
import threading
import time
from dataclasses import dataclass, field
from http import cookiejar
from http.client import HTTPException, HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.connection import create_connection

from otp_service.delivery.outcomes import Answer, Kind, error, read
from otp_service.domain.errors import DeliveryError
from otp_service.domain.ports import Message
from otp_service.domain.verification import Channel

API_URL = "https://api.gupshup.io/wa/api/v1/template/msg"
DEADLINE = 8.0  # seconds, for a whole send
CONNECT = 2.0  # seconds, for one address, and for the TLS handshake
IDLE = 45.0  # seconds until an unused connection isn't trusted any more
MAX_ANSWER = 64 * 1024  # bytes; a real one has about 100


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
        self._timeout = Timeout(connect=min(CONNECT, deadline / 4), total=deadline)
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
            with self._session.send(request, stream=True, timeout=timeout) as response:
                retry_after = response.headers.get("Retry-After", "")
                return Answer(response.status_code, _body(response), retry_after)
        except _NotReached as trouble:
            return error(Kind.TEMPORARY, f"no connection: {trouble}")
        except (OSError, HTTPException, HTTPError, ValueError) as trouble:
            # There was a connection, so the request may be out. Only the type is safe to tell.
            return error(Kind.AMBIGUOUS, f"no usable answer: {type(trouble).__name__}")

    @property
    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = _Session()
        session: requests.Session = self._local.session
        return session


def _digits(number: str) -> str:
    return "".join(char for char in number if char in "0123456789")


def _mask(key: str) -> str:
    return key and "••••" + (key[-4:] if len(key) >= 12 else "")


def _body(response: requests.Response) -> bytes:
    """All of the body, or nothing of one that is too big: such an answer isn't Gupshup's."""
    body = b""
    for piece in response.iter_content(4096):
        body += piece
        if len(body) > MAX_ANSWER:
            return b""
    return body


class _Session(requests.Session):
    """A session without redirects, cookies, proxies and ``.netrc``."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self.mount("https://", _Adapter(pool_connections=1, pool_maxsize=1))
        self.mount("http://", _Adapter(pool_connections=1, pool_maxsize=1))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None, always: 307 would carry code and key to any host.

        ``allow_redirects=False`` isn't enough: requests still prepares the next request, for
        which it reads the whole body, however big.
        """


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


_Found = queue.SimpleQueue["list[tuple[str, int]] | Exception"]


class _NotReached(Exception):
    """Before a connection stood: nothing was sent. Its text is the cause's type."""


class _BoundedReader(io.RawIOBase):
    """Reads on until the socket's timeout has passed *in all*.

    By itself a socket counts anew for each piece, so that an answer of one byte a second, headers
    included, would never time out.
    """

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock, self._raw = sock, raw
        self._ends = time.monotonic() + (sock.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedAnswer(HTTPResponse):
    """urllib3 sets the socket's timeout to what is left of the deadline just before this."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_BoundedReader(sock, self.fp.detach()))

    def begin(self) -> None:
        super().begin()
        # urllib3 would log headers that it can't parse, and they may echo the code.
        self.msg.defects.clear()
        self.msg.set_payload("")


class _Connection(HTTPConnection):
    response_class = _BoundedAnswer
    _used = 0.0

    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, HTTPError, ValueError) as trouble:
            raise _NotReached(type(trouble).__name__) from None

    def _new_conn(self) -> socket.socket:
        """A connection to the first address that answers, within twice the connect timeout.

        urllib3 gives each address the full timeout: eight silent ones would take 16 seconds.
        """
        each = float(self.timeout or CONNECT)
        ends = time.monotonic() + 2 * each
        trouble = OSError("no address")
        for address in _addresses(self.host, self.port, 2 * each):
            left = ends - time.monotonic()
            if left <= 0:
                break
            try:
                return create_connection(
                    address, min(each, left), socket_options=self.socket_options
                )
            except OSError as refused:
                trouble = refused
        raise trouble

    @property
    def is_connected(self) -> bool:
        """Firewalls forget idle connections without a word, so an old one is replaced."""
        return super().is_connected and time.monotonic() - self._used < IDLE

    def getresponse(self) -> Any:
        self._used = time.monotonic()
        return super().getresponse()


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _addresses(host: str, port: int, patience: float) -> list[tuple[str, int]]:
    """The host's addresses. In a thread, since a lookup knows no timeout of ours."""
    found: _Found = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(host, port, found), daemon=True).start()
    try:
        addresses = found.get(timeout=patience)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(addresses, Exception):
        raise addresses
    return addresses


def _look_up(host: str, port: int, found: _Found) -> None:
    try:
        answers = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as trouble:
        found.put(trouble)
    else:
        found.put([(str(address[0]), int(address[1])) for *_, address in answers])
