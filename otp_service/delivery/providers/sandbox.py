"""The sender that keeps messages on this machine, for `/sandbox` and for test numbers."""

from __future__ import annotations

import secrets

from otp_service.domain.messages import Message
from otp_service.domain.verification import Channel


class SandboxSender:
    """Accepts everything. The message needs no copy: its delivery's row tells what it said."""

    provider = "sandbox"
    is_available = True
    state = "closed"

    def __init__(self, channel: Channel = Channel.WHATSAPP) -> None:
        self.channel = channel

    def send(self, message: Message) -> str:
        return f"sandbox-{secrets.token_hex(8)}"
