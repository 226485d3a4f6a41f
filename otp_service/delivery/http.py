"""One request and its answer, whatever it is for: one deadline, and nothing told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

import requests
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from otp_service.delivery.http_connection import CONNECT, NotReached, Session, read_body
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError, delivery_error

DEADLINE = 8.0  # seconds, for all of it: name lookup to the answer's last byte


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. ``body`` is empty if it was too big; ``retry_after`` is the raw header."""

    status: int
    body: bytes = field(repr=False)  # a provider may echo the code
    retry_after: str = ""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


def send(
    session: Session, request: requests.Request, deadline: float, *, unusable: str
) -> Answer | DeliveryError:
    """The answer, whatever its status, or why there is none.

    Returned, not raised, so that neither a context nor a frame holds the request. ``unusable`` are
    the settings that it may fail of before anything is sent.
    """
    # requests takes urllib3's timeout, its type stubs don't know
    timeout: Any = Timeout(connect=min(CONNECT, deadline / 3), total=deadline)
    try:
        ready = _prepared(session, request)
    except ValueError:  # its text may be the key's
        return delivery_error(failures.NOT_CONFIGURED, f"{unusable} can't be used")
    try:
        with session.send(ready, stream=True, timeout=timeout, allow_redirects=False) as response:
            retry_after = response.headers.get("Retry-After", "")
            return Answer(response.status_code, read_body(response), retry_after)
    except NotReached as trouble:
        return delivery_error(failures.PROVIDER_DOWN, f"no connection: {trouble}")
    except (OSError, HTTPException, HTTPError, ValueError) as trouble:
        # There was a connection, so the request may be out. Only the type is safe to tell.
        kind = type(trouble).__name__
        return delivery_error(failures.UNCONFIRMED, f"no usable answer: {kind}")


def get(
    url: str, headers: Mapping[str, str], *, deadline: float = DEADLINE
) -> Answer | DeliveryError:
    """Ask for something, to see whether it is there and takes our credentials; see `send`."""
    request = requests.Request("GET", url, headers=dict(headers))
    return send(Session(), request, deadline, unusable="the URL or the key")


def _prepared(session: Session, request: requests.Request) -> requests.PreparedRequest:
    """Ready to be sent. ValueError if it can't be; its text may hold a key."""
    ready = session.prepare_request(request)
    for value in ready.headers.values():
        value.encode("latin-1")  # http.client would, with the socket open
    session.get_adapter(str(ready.url))
    return ready
