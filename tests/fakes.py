"""Stand-ins for what is outside: hand-written, and honest about what they saw."""

from __future__ import annotations

from collections.abc import Callable

from otp_service.domain.errors import DeliveryError
from otp_service.domain.messages import Message
from otp_service.domain.verification import Channel


class FakeSender:
    """Keeps what it was given; raises ``failure`` instead, as long as there is one."""

    is_available = True

    def __init__(self, channel: Channel = Channel.WHATSAPP, provider: str = "fake") -> None:
        self.channel = channel
        self.provider = provider
        self.messages: list[Message] = []
        self.failure: DeliveryError | None = None
        self.on_send: Callable[[], object] = lambda: None

    def send(self, message: Message) -> str:
        self.on_send()
        if self.failure:
            raise self.failure
        self.messages.append(message)
        return f"fake-{len(self.messages)}"

    @property
    def last_code(self) -> str:
        return self.messages[-1].code
