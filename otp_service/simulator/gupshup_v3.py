"""Gupshup's callbacks in version 3: Meta's envelope with ``gs_id`` (partner-docs.gupshup.io)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from otp_service.simulator.inbox import Message
from otp_service.simulator.options import Options
from otp_service.simulator.providers import meta_callbacks


def body(message: Message, receipt: str, at: datetime, options: Options) -> dict[str, Any] | None:
    """``enqueued`` alone has no metadata, and its time is a number of milliseconds."""
    stage, _, code = receipt.partition(":")
    if stage == "unknown":
        return None
    status = meta_callbacks.status(message, receipt, at, options.quirks) | {"gs_id": message.id}
    if stage in ("enqueued", "sync-failed"):
        status["id"] = message.id
    if stage == "enqueued":
        status["timestamp"] = int(at.timestamp() * 1000)
    if code and "flat-failed" in options.quirks:
        error = status.pop("errors")[0]
        status |= {"code": error["code"], "reason": error["title"]}
    envelope = meta_callbacks.envelope(message, status)
    if stage == "enqueued":
        del envelope["entry"][0]["changes"][0]["value"]["metadata"]
    return envelope | {"gs_app_id": "5a1e0000-0000-4000-8000-0000000000aa"}
