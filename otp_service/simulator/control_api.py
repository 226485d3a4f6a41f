"""For tests: what the phones got, faults to come, receipts by hand."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from otp_service.simulator.base_provider import Carrier, as_json
from otp_service.simulator.script import international
from otp_service.simulator.subscription import subscribe


class Control:
    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def messages(self) -> Response:
        """Oldest first, of one phone with ?phone=."""
        phone = request.args.get("phone", "").strip()
        return as_json({"messages": self._carrier.inbox.dump(phone and international(phone))})

    def reset(self) -> Response:
        """Messages, script and receipts to come are forgotten. Ids go on."""
        self._carrier.clear()
        return as_json({"status": "success"})

    def script(self) -> Response:
        """Adds to what was there; DELETE clears it."""
        if request.method == "DELETE":
            self._carrier.script.clear()
            return as_json({"status": "success"})
        entries = _body().get("faults")
        if not isinstance(entries, list):
            return _wrong('the body is {"faults": […]}')
        try:
            self._carrier.script.add(entries)
        except ValueError as wrong:
            return _wrong(str(wrong))
        return as_json({"status": "success"})

    def receipts(self) -> Response:
        """Tells one receipt at once, and what the receiver answered."""
        body = _body()
        message = self._carrier.inbox.find(str(body.get("messageId")))
        if message is None:
            return as_json({"status": "error", "message": "no such message"}, 404)
        try:
            taken = self._carrier.receipt(message, str(body.get("receipt")))
        except ValueError as wrong:
            return _wrong(str(wrong))
        return as_json({"status": "success", "taken": taken})

    def subscriptions(self) -> Response:
        """Tries the callback URL of {"provider": "gupshup"} or "meta", as a dashboard would."""
        try:
            taken = subscribe(str(_body().get("provider")), self._carrier.options)
        except ValueError as wrong:
            return _wrong(str(wrong))
        return as_json({"status": "success", "taken": taken})


def blueprint(carrier: Carrier) -> Blueprint:
    bp, control = Blueprint("control", __name__), Control(carrier)
    bp.get("/simulator/messages")(control.messages)
    bp.delete("/simulator/messages")(control.reset)
    bp.route("/simulator/script", methods=["POST", "DELETE"])(control.script)
    bp.post("/simulator/receipts")(control.receipts)
    bp.post("/simulator/subscriptions")(control.subscriptions)
    return bp


def _body() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True)
    return body if isinstance(body, dict) else {}


def _wrong(words: str) -> Response:
    return as_json({"status": "error", "message": words}, 400)
