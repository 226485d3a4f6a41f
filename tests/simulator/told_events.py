"""Events as a service tells them, signed by Standard Webhooks' own library."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import requests
from standardwebhooks import Webhook

SECRET = "whsec_" + "c2ltdWxhdG9yJ3Mgb3duIHNlY3JldCwgMzIgYnl0ZXMh"
OTHER = "whsec_" + "YW5vdGhlciBlbmRwb2ludCdzIHNlY3JldCwgMzIgYnl0"
VERIFICATION = "p" + "0a" * 16


def body(kind: str = "message.delivered", **data: Any) -> str:
    """Fields of ``data`` may be other ones, or none."""
    known = {
        "verification_id": VERIFICATION,
        "phone_number": "+919876543210",
        "purpose": "login",
        "channel": "whatsapp",
        "status": kind.rpartition(".")[2],
        "failure": None,
        "reason": None,
    }
    timestamp = "2026-11-29T02:00:00.000Z"
    return json.dumps({"type": kind, "timestamp": timestamp, "data": known | data})


def headers(
    text: str, webhook_id: str = "msg_1", *, secret: str = SECRET, age: float = 0
) -> dict[str, str]:
    """Of an event that was signed ``age`` seconds ago."""
    at = datetime.now(timezone.utc) - timedelta(seconds=age)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, at, text),
        "Content-Type": "application/json",
    }


def tell(url: str, text: str = "", webhook_id: str = "msg_1", **signed: Any) -> requests.Response:
    """Post one event; no redirect is followed."""
    text = text or body()
    all_headers = headers(text, webhook_id, **signed)
    return requests.post(url, text, headers=all_headers, allow_redirects=False, timeout=10)
