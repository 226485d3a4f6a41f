"""Gupshup's callbacks.

Version 2 is its own (docs.gupshup.io/docs/message-events), version 3 is Meta's envelope with
``gs_id`` (partner-docs.gupshup.io).
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from otp_service.simulator import faults
from otp_service.simulator.http import CallbackRequest
from otp_service.simulator.messages import Message
from otp_service.simulator.options import Options
from otp_service.simulator.providers import meta_callbacks


def callback(
    message: Message, receipt: str, at: datetime, options: Options
) -> CallbackRequest | None:
    """In the version of the options; the secret goes with it as it does in reality, as a header
    that the subscription named.
    """
    version = _version_3 if options.callback_version == 3 else _version_2
    body = version(message, receipt, at, options)
    if body is None:
        return None
    headers = {"Content-Type": "application/json"}
    if options.callback_secret:
        headers["Authorization"] = f"Bearer {options.callback_secret}"
    return CallbackRequest(options.callback_url, json.dumps(body).encode(), headers)


def _version_2(
    message: Message, receipt: str, at: datetime, options: Options
) -> dict[str, Any] | None:
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


def _version_3(
    message: Message, receipt: str, at: datetime, options: Options
) -> dict[str, Any] | None:
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
