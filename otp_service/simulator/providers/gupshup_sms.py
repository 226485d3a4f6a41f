"""Gupshup's enterprise SMS API (docs.gupshup.io/docs/send-message-to-single-number).

Errors come with HTTP 200 and a code in the body.
"""

from __future__ import annotations

import re
from datetime import datetime

from flask import Blueprint, Response, request

from otp_service.simulator.base_provider import BaseProvider
from otp_service.simulator.fault_table import SMS
from otp_service.simulator.http import CallbackRequest
from otp_service.simulator.messages import Draft, Message, international
from otp_service.simulator.options import accepts
from otp_service.simulator.providers import gupshup_sms_callbacks
from otp_service.simulator.responses import as_json

ERRORS = {
    "101": "The parameter msg is required",  # [a guess] the code and words are not known
    "102": "Authentication failed due to invalid userId or password",
    "105": "The phone number is not a valid phone number",
    "106": "The method is not supported",
}
REFUSALS = {400: "105", 401: "102", 403: "102"}  # as a fault's HTTP status → the body's code


class GupshupSms(BaseProvider):
    name = "enterprise"

    def blueprint(self) -> Blueprint:
        bp = Blueprint("gupshup_sms", __name__)
        bp.route("/GatewayAPI/rest", methods=["GET", "POST"])(self.send)
        return bp

    def send(self) -> Response:
        form = request.values.to_dict()
        wrong = self._wrong_with(form)
        return _error(wrong) if wrong else self.take(_draft(form))

    def accepted(self, message: Message, *, with_id: bool = True) -> Response:
        number, message_id = message.phone.lstrip("+"), message.id if with_id else ""
        if not _wants_json():
            return _text(f"success | {number} | {message_id}")
        body = {"id": message_id, "phone": number, "details": "", "status": "success"}
        return as_json({"response": body})

    def refused(self, status: int) -> Response:
        if status in REFUSALS:
            return _error(REFUSALS[status])
        return Response(f"<html><body>{status}</body></html>", status, content_type="text/html")

    def error_200(self) -> Response:
        return _error("105")

    def callback(self, message: Message, receipt: str, at: datetime) -> CallbackRequest | None:
        return gupshup_sms_callbacks.callback(message, receipt, at, self._options)

    def _wrong_with(self, form: dict[str, str]) -> str | None:
        right_id = accepts(self._options.sms_userid, form.get("userid", ""))
        if not (accepts(self._options.sms_password, form.get("password", "")) and right_id):
            return "102"
        if form.get("method", "").lower() != "sendmessage":
            return "106"
        if not re.fullmatch(r"\+?[1-9][0-9]{7,14}", form.get("send_to", "")):
            return "105"
        return None if form.get("msg") else "101"


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
    body = {"id": code, "phone": "", "details": ERRORS[code], "status": "error"}
    return as_json({"response": body})


def _text(words: str) -> Response:
    return Response(words, 200, content_type="text/plain")


def _wants_json() -> bool:
    return str(request.values.get("format", "text")).lower() == "json"
