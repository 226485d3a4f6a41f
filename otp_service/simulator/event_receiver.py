"""Takes a service's events, as whoever calls the service would: checked, answered, kept."""

from __future__ import annotations

import time

from flask import Blueprint, Response, request

from otp_service.simulator import events, responses, signatures
from otp_service.simulator.events import Event
from otp_service.simulator.fault_table import EVENTS, OK
from otp_service.simulator.state import State


class EventReceiver:
    def __init__(self, state: State) -> None:
        self._state = state

    def take(self) -> Response:
        """204; 401 or 400 if it can't be trusted or read, so that the service tries again; or what
        a script has for it.
        """
        event = self._read(request.get_data())
        self._state.events.add(event)
        response = self._answer(event)
        self._state.events.set_answer(event, responses.summary(response).strip())
        return response

    def _read(self, body: bytes) -> Event:
        parts = events.read(body)
        headers = [(name.lower(), value) for name, value in request.headers]
        secrets = self._state.options.events_secrets
        wrong = signatures.trouble(dict(headers), body, secrets, time.time()) if secrets else ""
        return Event(
            webhook_id=request.headers.get("webhook-id", ""),
            headers=headers,
            body=body.decode(errors="replace"),
            verified=not wrong if secrets else None,
            problem=wrong or ("" if parts else "no event: type, timestamp and data"),
            **parts or {},
        )

    def _answer(self, event: Event) -> Response:
        if event.problem:
            status = 401 if event.verified is False else 400
            return responses.as_json({"status": "error", "message": event.problem}, status)
        fault = self._state.script.pick(event.phone, EVENTS) or OK
        event.fault = fault.name
        word, _, value = fault.answer.partition(":")
        stopped = word == "stall" and self._state.stall(float(value))
        if word == "closed" or stopped:
            return responses.NoAnswer()
        if word == "retry-after":
            return Response(status=429, headers={"Retry-After": value})
        if word == "http":
            elsewhere = {"Location": f"{request.base_url}?elsewhere"}
            return Response(status=int(value), headers=elsewhere if value < "4" else {})
        return Response(status=204)


def blueprint(state: State) -> Blueprint:
    bp = Blueprint("events", __name__)
    bp.post("/events")(EventReceiver(state).take)
    return bp
