"""One try to tell an endpoint of an event."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum

import requests

from otp_service.delivery import http
from otp_service.delivery.http import Answer
from otp_service.delivery.http_connection import Session
from otp_service.domain.errors import DeliveryError
from otp_service.domain.events import Endpoint, Event
from otp_service.domain.values import value
from otp_service.events.body import body_of
from otp_service.events.signature import sign

DEADLINE = 15.0  # seconds, for all of a try: name lookup to the answer's last byte
GONE = 410  # Standard Webhooks: "disable the endpoint and stop sending messages to it"


class Outcome(str, Enum):
    """What came of a try. The values are labels of a metric."""

    TOLD = "told"
    FAILED = "failed"
    GIVEN_UP = "given_up"
    GONE = "gone"


@value
class Try:
    """``said`` is the answer's status, or why there is none: no text of the endpoint's."""

    outcome: Outcome
    said: str


class Poster:
    """Posts to one endpoint. Safe to share: each connection is one thread's at a time.

    ``deadline`` is in seconds and covers a whole try; ``clock`` tells the time, which is signed.
    """

    def __init__(
        self,
        *,
        deadline: float = DEADLINE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._deadline = deadline
        self._clock = clock
        self._unused: list[Session] = []

    def post(self, endpoint: Endpoint, event: Event) -> Try:
        """Only 2xx means that it is told; a redirect is an answer like any other."""
        session = self._session()
        answer = http.send(session, self._request(endpoint, event), self._deadline, unusable="URL")
        self._unused.append(session)
        return _read(answer)

    def _session(self) -> Session:
        try:
            return self._unused.pop()
        except IndexError:  # all are in use
            return Session()

    def _request(self, endpoint: Endpoint, event: Event) -> requests.Request:
        body, timestamp = body_of(event, endpoint), int(self._clock())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "otp-service",
            "webhook-id": event.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(endpoint.key, event.id, timestamp, body),
        }
        return requests.Request("POST", endpoint.url, headers=headers, data=body)


def _read(answer: Answer | DeliveryError) -> Try:
    if isinstance(answer, DeliveryError):
        return Try(Outcome.FAILED, answer.reason)
    said = f"HTTP {answer.status}"
    if answer.status == GONE:
        return Try(Outcome.GONE, said)
    return Try(Outcome.TOLD if answer.is_success else Outcome.FAILED, said)
