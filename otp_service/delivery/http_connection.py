"""HTTP that keeps its promises: a deadline for everything, no redirect, no second try, and an
answer of 64 KiB at most.
"""

from __future__ import annotations

import io
import queue
import socket
import threading
import time
from http import cookiejar
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.connection import create_connection

from otp_service.turns import wait_elsewhere

CONNECT = 2.0  # seconds, for one address, and for the TLS handshake
IDLE = 45.0  # seconds until an unused connection isn't trusted any more
MAX_ANSWER = 64 * 1024  # bytes; a real one has about 100


def read_body(response: requests.Response) -> bytes:
    """All of the body, or nothing of one that is too big: no provider's answer is."""
    body = b""
    for piece in response.iter_content(4096):
        body += piece
        if len(body) > MAX_ANSWER:
            return b""
    return body


class Session(requests.Session):
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


class NotReached(Exception):
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
        with wait_elsewhere():
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
            with wait_elsewhere():
                super().connect()
        except (OSError, HTTPError, ValueError) as trouble:
            raise NotReached(type(trouble).__name__) from None

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
