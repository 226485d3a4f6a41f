"""For tests: what the phones got, which events came, faults to come, receipts by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from otp_service.simulator.base_provider import BaseProvider
from otp_service.simulator.messages import international
from otp_service.simulator.responses import as_json
from otp_service.simulator.state import State
from otp_service.simulator.subscription import subscribe


class ControlApi:
    def __init__(self, state: State, providers: Mapping[str, BaseProvider]) -> None:
        self._state, self._providers = state, providers

    def messages(self) -> Response:
        """Oldest first, of one phone with ?phone=."""
        phone = request.args.get("phone", "").strip()
        return as_json({"messages": self._state.inbox.dump(phone and international(phone))})

    def reset(self) -> Response:
        """Messages, events, script and receipts to come are forgotten. Ids go on."""
        self._state.clear()
        return as_json({"status": "success"})

    def events(self) -> Response:
        """As they came, of one verification or message with ?about=; DELETE forgets them."""
        if request.method == "DELETE":
            self._state.events.clear()
            return as_json({"status": "success"})
        found = self._state.events.events(request.args.get("about", ""))
        return as_json({"events": [event.as_json() for event in found]})

    def script(self) -> Response:
        """Adds to what was there; DELETE clears it."""
        if request.method == "DELETE":
            self._state.script.clear()
            return as_json({"status": "success"})
        entries = _body().get("faults")
        if not isinstance(entries, list):
            return _wrong('the body is {"faults": […]}')
        try:
            self._state.script.add(entries)
        except ValueError as wrong:
            return _wrong(str(wrong))
        return as_json({"status": "success"})

    def receipts(self) -> Response:
        """Sends one receipt at once, and says whether the receiver took it."""
        body = _body()
        message = self._state.inbox.find(str(body.get("messageId")))
        if message is None:
            return as_json({"status": "error", "message": "no such message"}, 404)
        try:
            taken = self._providers[message.provider].send_receipt(
                message, str(body.get("receipt"))
            )
        except ValueError as wrong:
            return _wrong(str(wrong))
        return as_json({"status": "success", "taken": taken})

    def subscriptions(self) -> Response:
        """Tries the callback URL of {"provider": "gupshup"} or "meta", as a dashboard would."""
        try:
            taken = subscribe(str(_body().get("provider")), self._state.options)
        except ValueError as wrong:
            return _wrong(str(wrong))
        return as_json({"status": "success", "taken": taken})


def blueprint(state: State, providers: Mapping[str, BaseProvider]) -> Blueprint:
    bp, control = Blueprint("control", __name__), ControlApi(state, providers)
    bp.get("/simulator/messages")(control.messages)
    bp.delete("/simulator/messages")(control.reset)
    bp.route("/simulator/events.json", methods=["GET", "DELETE"])(control.events)
    bp.route("/simulator/script", methods=["POST", "DELETE"])(control.script)
    bp.post("/simulator/receipts")(control.receipts)
    bp.post("/simulator/subscriptions")(control.subscriptions)
    return bp


def _body() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True)
    return body if isinstance(body, dict) else {}


def _wrong(words: str) -> Response:
    return as_json({"status": "error", "message": words}, 400)
