"""Gupshup's enterprise SMS API (docs.gupshup.io/docs/send-message-to-single-number).

Errors come with HTTP 200 and a code in the body.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from otp_service.simulator import faults
from otp_service.simulator.base_provider import Carrier, as_json
from otp_service.simulator.callbacks import Outgoing
from otp_service.simulator.faults import SMS
from otp_service.simulator.inbox import Draft, Message
from otp_service.simulator.providers.gupshup import matches
from otp_service.simulator.script import international

ERRORS = {
    "101": "The parameter msg is required",  # [a guess] the code and words are not known
    "102": "Authentication failed due to invalid userId or password",
    "105": "The phone number is not a valid phone number",
    "106": "The method is not supported",
}
REFUSALS = {400: "105", 401: "102", 403: "102"}  # as a fault's HTTP status → the body's code


class Enterprise:
    """A `Dialect`."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier, self._options = carrier, carrier.options

    def blueprint(self) -> Blueprint:
        bp = Blueprint("enterprise", __name__)
        bp.route("/GatewayAPI/rest", methods=["GET", "POST"])(self.send)
        return bp

    def send(self) -> Response:
        form = request.values.to_dict()
        wrong = self._wrong_with(form)
        return _error(wrong) if wrong else self._carrier.send(_draft(form))

    def accepted(self, message: Message, *, with_id: bool = True) -> Response:
        number, message_id = message.phone.lstrip("+"), message.id if with_id else ""
        if not _wants_json():
            return _text(f"success | {number} | {message_id}")
        said = {"id": message_id, "phone": number, "details": "", "status": "success"}
        return as_json({"response": said})

    def refused(self, status: int) -> Response:
        if status in REFUSALS:
            return _error(REFUSALS[status])
        return Response(f"<html><body>{status}</body></html>", status, content_type="text/html")

    def error_200(self) -> Response:
        return _error("105")

    def callback(self, message: Message, receipt: str, at: datetime) -> Outgoing | None:
        """One report, at the end: delivered, failed or unknown."""
        stage, _, code = receipt.partition(":")
        url = self._options.sms_callback_url
        if stage not in ("delivered", "failed", "unknown"):
            return None
        facts = _Facts(message, stage, code, at)
        if self._options.sms_callback_method == "get":
            query = urlencode(facts.query())
            return Outgoing(url and f"{url}{'&' if '?' in url else '?'}{query}", method="GET")
        batch = json.dumps([facts.event()])
        if self._options.sms_callback_method == "json":
            return Outgoing(url, batch.encode(), {"Content-Type": "application/json"})
        kind = "application/x-www-form-urlencoded"
        return Outgoing(url, urlencode({"response": batch}).encode(), {"Content-Type": kind})

    def _wrong_with(self, form: dict[str, str]) -> str | None:
        right_id = matches(form.get("userid", ""), self._options.sms_userid)
        if not (matches(form.get("password", ""), self._options.sms_password) and right_id):
            return "102"
        if form.get("method", "").lower() != "sendmessage":
            return "106"
        if not re.fullmatch(r"\+?[1-9][0-9]{7,14}", form.get("send_to", "")):
            return "105"
        return None if form.get("msg") else "101"


class _Facts:
    """What a report tells, in the words of a GET and in those of a batch."""

    def __init__(self, message: Message, stage: str, code: str, at: datetime) -> None:
        self.message, self.code = message, code or {"delivered": "000"}.get(stage, "")
        self.status = {"delivered": "SUCCESS", "failed": "FAILURE"}.get(stage, "UNKNOWN")
        self.cause = faults.reason(code, SMS) if code else self.status
        self.at = int(at.timestamp() * 1000)
        self.parts = 1 + (len(message.text) - 1) // 160

    def query(self) -> dict[str, object]:
        return {
            "externalId": self.message.id,
            "deliveredTS": self.at,
            "status": self.status,
            "cause": self.cause,
            "phoneNo": self.message.phone.lstrip("+"),
            "errCode": self.code,
            "noOfFrags": self.parts,
            "mask": self.message.sender,
        }

    def event(self) -> dict[str, object]:
        return {
            "externalId": self.message.id,
            "eventType": {"SUCCESS": "DELIVERED", "FAILURE": "FAILED"}.get(self.status, "UNKNOWN"),
            "eventTs": self.at,
            "destAddr": self.message.phone.lstrip("+"),
            "srcAddr": self.message.sender,
            "cause": self.cause,
            "errCode": self.code,
            "channel": "SMS",
            "noOfFrags": self.parts,
        }


def _draft(form: dict[str, str]) -> Draft:
    found = re.search(r"(?<![0-9])[0-9]{4,10}(?![0-9])", form["msg"])
    return Draft(
        provider="enterprise",
        channel=SMS,
        phone=international(form["send_to"]),
        sender=form.get("mask", "GUPSHP"),
        template=form.get("dltTemplateId", ""),
        params=[],
        text=form["msg"],
        code=found[0] if found else "",
    )


def _error(code: str) -> Response:
    if not _wants_json():
        return _text(f"error | {code} | {ERRORS[code]}")
    said = {"id": code, "phone": "", "details": ERRORS[code], "status": "error"}
    return as_json({"response": said})


def _text(words: str) -> Response:
    return Response(words, 200, content_type="text/plain")


def _wants_json() -> bool:
    return str(request.values.get("format", "text")).lower() == "json"
