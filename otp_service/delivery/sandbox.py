"""The sender that keeps messages on this machine, for `/sandbox` and for test numbers."""

from __future__ import annotations

import secrets

from otp_service.domain.ports import Message
from otp_service.domain.verification import Channel


class SandboxSender:
    """Accepts everything. The message needs no copy: its delivery's row tells what it said."""

    provider = "sandbox"
    channel = Channel.WHATSAPP

    def send(self, message: Message) -> str:
        return f"sandbox-{secrets.token_hex(8)}"
