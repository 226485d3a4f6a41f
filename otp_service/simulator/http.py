"""A callback over HTTP: one request to whoever receives them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

PATIENCE = 10  # seconds, as Gupshup's


@dataclass(frozen=True)
class CallbackRequest:
    """An empty ``url`` goes nowhere."""

    url: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"


def send(request: CallbackRequest) -> tuple[str, bytes]:
    """The receiver's status, or the kind of trouble, and its body. No redirect is followed, no
    proxy used.
    """
    try:
        url = urlsplit(request.url)
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        with closing(kind(url.hostname or "", url.port, timeout=PATIENCE)) as connection:
            path = f"{url.path or '/'}{'?' * bool(url.query)}{url.query}"
            connection.request(request.method, path, request.body or None, request.headers)
            response = connection.getresponse()
            return str(response.status), response.read(1000)
    except (OSError, HTTPException, ValueError) as trouble:
        return f"no answer: {type(trouble).__name__}", b""
