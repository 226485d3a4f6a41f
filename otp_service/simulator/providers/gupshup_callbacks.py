"""Gupshup's callbacks in version 2 (docs.gupshup.io/docs/message-events)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from otp_service.simulator import faults
from otp_service.simulator.inbox import Message
from otp_service.simulator.options import Options


def body(message: Message, receipt: str, at: datetime, options: Options) -> dict[str, Any] | None:
    """The envelope's time is in milliseconds, the ``ts`` inside in seconds."""
    stage, _, code = receipt.partition(":")
    if stage == "unknown":
        return None
    envelope = {
        "app": options.app_name or "Simulator",
        "phone": message.sender.lstrip("+"),
        "timestamp": int(at.timestamp() * 1000),
        "version": 2,
        "type": "message-event",
        "payload": {
            **_ids(message, stage, options.quirks),
            "type": "failed" if code else stage,
            "destination": message.phone.lstrip("+"),
            **_details(message, stage, code, at, options.quirks),
        },
    }
    if "no-phone" in options.quirks:
        del envelope["phone"]
    return envelope


def _ids(message: Message, stage: str, quirks: set[str]) -> dict[str, str]:
    """Until Meta has the message its id is Gupshup's; from then on that one is the ``gsId``."""
    if stage in ("enqueued", "sync-failed"):
        return {"id": message.id}
    if "no-gs-id" in quirks:
        return {"id": message.whatsapp_id}
    return {"id": message.whatsapp_id, "gsId": message.id}


def _details(
    message: Message, stage: str, code: str, at: datetime, quirks: set[str]
) -> dict[str, Any]:
    if stage == "enqueued":
        return {"payload": {"whatsappMessageId": message.whatsapp_id, "type": "session"}}
    if code:
        failure: dict[str, Any] = {"code": code if "string-codes" in quirks else int(code)}
        if "no-reason" not in quirks:
            failure["reason"] = faults.reason(code, message.channel)
        return {"payload": failure}
    seconds = int(at.timestamp())
    details: dict[str, Any] = {
        "payload": {"ts": str(seconds) if "string-ts" in quirks else seconds}
    }
    if stage == "sent" and "conversation" in quirks:
        expires = seconds + 86_400
        talk = {"id": message.id.replace("-", ""), "expiresAt": expires, "type": "authentication"}
        pricing = {"policy": "PMP", "category": "authentication"}
        details |= {"conversation": talk, "pricing": pricing}
    return details
