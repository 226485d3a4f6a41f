"""A sender whose calls are spans, and whose requests pass the trace on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from otp_service.delivery.http_connection import Session
from otp_service.domain.errors import DeliveryError
from otp_service.domain.messages import Message, Sender

if TYPE_CHECKING:
    from otp_service.observability.tracing import Tracing


class TracedSender:
    """A `Sender`. Its span has what became of the call: accepted, or the failure's code."""

    is_available = True

    def __init__(self, sender: Sender, tracing: Tracing) -> None:
        self.provider, self.channel = sender.provider, sender.channel
        self._sender, self._tracing = sender, tracing

    def send(self, message: Message) -> str:
        facts = {
            "otp.provider": self.provider,
            "otp.channel": self.channel.value,
            "otp.delivery_id": message.delivery_id,
        }
        with self._tracing.call(f"send {self.provider}", facts) as span:
            try:
                message_id = self._sender.send(message)
            except DeliveryError as error:
                span.set_attribute("otp.outcome", error.failure.code)
                raise
            span.set_attribute("otp.outcome", "accepted")
            return message_id


class TracedSession(Session):
    """Tells the span what was asked and answered. Of the URL the host: the rest has secrets."""

    def __init__(self, tracing: Tracing) -> None:
        super().__init__()
        self._tracing = tracing

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        span = self._tracing.current()
        span.set_attribute("http.request.method", str(request.method))
        span.set_attribute("server.address", urlsplit(str(request.url)).hostname or "")
        self._tracing.pass_on(request.headers)
        response = super().send(request, **kwargs)
        span.set_attribute("http.response.status_code", response.status_code)
        return response
