"""Meta's webhooks about the status of messages (developers.facebook.com, WhatsApp Cloud API)."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from otp_service.simulator import faults
from otp_service.simulator.http import CallbackRequest
from otp_service.simulator.messages import Message
from otp_service.simulator.options import Options

HELP = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"
NUMBER, NUMBER_ID = "15550001111", "158072934066266"
ACCOUNT_ID = "112535025189792"
BUSINESS_ID, APP_ID = "506914307656634", "634974688087057"


def callback(
    message: Message, receipt: str, at: datetime, options: Options
) -> CallbackRequest | None:
    """Signed over the raw body. Meta has no `enqueued`."""
    if receipt in ("enqueued", "unknown"):
        return None
    body = json.dumps(envelope(message, status(message, receipt, at, options.quirks))).encode()
    headers = {"Content-Type": "application/json"}
    if secret := options.meta_app_secret:
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers["X-Hub-Signature-256"] = f"sha256={signature}"
    return CallbackRequest(options.meta_callback_url, body, headers)


def envelope(message: Message, status: dict[str, Any]) -> dict[str, Any]:
    """Meta knows senders by an id, Gupshup by their number: the other one is made up."""
    by_id = message.provider == "meta"
    metadata = {
        "display_phone_number": NUMBER if by_id else message.sender.lstrip("+"),
        "phone_number_id": message.sender if by_id else NUMBER_ID,
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": metadata,
        "statuses": [status],
    }
    changes = [{"field": "messages", "value": value}]
    entry = [{"id": ACCOUNT_ID, "changes": changes}]
    return {"object": "whatsapp_business_account", "entry": entry}


def health(number_id: str) -> dict[str, Any]:
    """Of all that a message passes: everything is well."""
    ids = {
        "PHONE_NUMBER": number_id,
        "WABA": ACCOUNT_ID,
        "BUSINESS": BUSINESS_ID,
        "APP": APP_ID,
    }
    able = {"can_send_message": "AVAILABLE"}
    return able | {"entities": [{"entity_type": k, "id": v, **able} for k, v in ids.items()]}


def status(message: Message, receipt: str, at: datetime, quirks: set[str]) -> dict[str, Any]:
    """Times are seconds in quotes."""
    stage, _, code = receipt.partition(":")
    facts: dict[str, Any] = {
        "id": message.whatsapp_id,
        "recipient_id": message.phone.lstrip("+"),
        "status": "failed" if code else stage,
        "timestamp": str(int(at.timestamp())),
    }
    if message.opaque is not None:
        facts["biz_opaque_callback_data"] = message.opaque
    if code:
        facts["errors"] = [_error(code, message.channel, quirks)]
    elif stage in ("sent", "delivered"):
        pricing = {"billable": True, "pricing_model": "PMP", "type": "regular"}
        facts["pricing"] = pricing | {"category": "authentication"}
    return facts


def _error(code: str, channel: str, quirks: set[str]) -> dict[str, Any]:
    title = faults.reason(code, channel)
    number = code if "string-codes" in quirks else int(code)
    details = {"error_data": {"details": f"{title}."}, "href": HELP}
    return {"code": number, "title": title, "message": title, **details}
