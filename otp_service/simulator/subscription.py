"""What providers do when a callback URL is saved in their dashboard: they try it."""

from __future__ import annotations

import json
import time
from urllib.parse import urlencode

from otp_service.simulator import http
from otp_service.simulator.http import CallbackRequest
from otp_service.simulator.options import Options

CHALLENGE = "1158201444"


def subscribe(provider: str, options: Options) -> bool:
    """Whether the receiver is fit to be subscribed. ValueError: no such provider, or no URL."""
    if provider == "gupshup" and options.callback_url:
        return _test_hit(options)
    if provider == "meta" and options.meta_callback_url:
        return _challenge(options)
    raise ValueError("provider is gupshup or meta, and its callback URL is set")


def _test_hit(options: Options) -> bool:
    """Gupshup wants a 2xx for an event that is about no message."""
    sandbox = {"phone": "callbackSetPhone", "type": "sandbox-start"}
    body: dict[str, object] = {
        "app": options.app_name or "Simulator",
        "timestamp": int(time.time() * 1000),
        "version": 2,
        "type": "user-event",
        "payload": sandbox,
    }
    if options.callback_version == 3:
        value = {"messaging_product": "whatsapp", "statuses": [{"type": "set-callback"}]}
        entry = [{"id": "0", "changes": [{"field": "messages", "value": value}]}]
        body = {"object": "whatsapp_business_account", "entry": entry}
    headers = {"Content-Type": "application/json"}
    if options.callback_secret:
        headers["Authorization"] = f"Bearer {options.callback_secret}"
    status, _ = http.send(CallbackRequest(options.callback_url, json.dumps(body).encode(), headers))
    return status.startswith("2")


def _challenge(options: Options) -> bool:
    """Meta wants its challenge back, from whoever knows the token to compare it with."""
    query = {
        "hub.mode": "subscribe",
        "hub.verify_token": options.meta_verify_token,
        "hub.challenge": CHALLENGE,
    }
    url = options.meta_callback_url
    joint = "&" if "?" in url else "?"
    status, body = http.send(CallbackRequest(f"{url}{joint}{urlencode(query)}", method="GET"))
    return status.startswith("2") and body.decode(errors="replace") == CHALLENGE
