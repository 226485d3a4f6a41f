"""Asking a provider for something, to see whether it is there and takes our credentials."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

import requests
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from otp_service.delivery.answers import Answer
from otp_service.delivery.wire import CONNECT, NotReached, Session, read_body
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError, delivery_error

DEADLINE = 8.0  # seconds, for all of it: name lookup to the answer's last byte


def ask(
    url: str, headers: Mapping[str, str], *, deadline: float = DEADLINE
) -> Answer | DeliveryError:
    """GET ``url``; the answer, whatever its status, or why there is none.

    Returned, not raised, so that neither a context nor a frame holds the headers.
    """
    try:
        session = Session()
        request = session.prepare_request(requests.Request("GET", url, headers=dict(headers)))
        for value in request.headers.values():
            value.encode("latin-1")  # http.client would, with the socket open
        session.get_adapter(str(request.url))
    except ValueError:  # its text may be a key
        return delivery_error(failures.NOT_CONFIGURED, "the URL or the key can't be used")
    return _exchange(session, request, deadline)


def _exchange(
    session: requests.Session, request: requests.PreparedRequest, deadline: float
) -> Answer | DeliveryError:
    timeout: Any = Timeout(connect=min(CONNECT, deadline / 3), total=deadline)
    try:
        with session.send(request, stream=True, timeout=timeout, allow_redirects=False) as response:
            return Answer(response.status_code, read_body(response))
    except NotReached as trouble:
        return delivery_error(failures.PROVIDER_DOWN, f"no connection: {trouble}")
    except (OSError, HTTPException, HTTPError, ValueError) as trouble:  # only the type is safe
        return delivery_error(failures.UNCONFIRMED, f"no usable answer: {type(trouble).__name__}")
