"""Asking a provider for something, to see whether it is there and takes our credentials."""

from __future__ import annotations

from collections.abc import Mapping

import requests

from otp_service.delivery.answers import Answer
from otp_service.delivery.http import DEADLINE, exchange, prepared
from otp_service.delivery.http_connection import Session
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError, delivery_error


def ask(
    url: str, headers: Mapping[str, str], *, deadline: float = DEADLINE
) -> Answer | DeliveryError:
    """GET ``url``; see `exchange`."""
    session = Session()
    try:
        request = prepared(session, requests.Request("GET", url, headers=dict(headers)))
    except ValueError:
        return delivery_error(failures.NOT_CONFIGURED, "the URL or the key can't be used")
    return exchange(session, request, deadline)
