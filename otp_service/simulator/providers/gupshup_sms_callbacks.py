"""The delivery reports of Gupshup's enterprise SMS API."""

from __future__ import annotations

import json
from datetime import datetime
from urllib.parse import urlencode

from otp_service.simulator import faults
from otp_service.simulator.fault_table import SMS
from otp_service.simulator.http import CallbackRequest
from otp_service.simulator.messages import Message
from otp_service.simulator.options import Options


def callback(
    message: Message, receipt: str, at: datetime, options: Options
) -> CallbackRequest | None:
    """One report, at the end: delivered, failed or unknown."""
    stage, _, code = receipt.partition(":")
    if stage not in ("delivered", "failed", "unknown"):
        return None
    report, url = _Report(message, stage, code, at), options.sms_callback_url
    if options.sms_callback_method == "get":
        query = urlencode(report.query())
        return CallbackRequest(url and f"{url}{'&' if '?' in url else '?'}{query}", method="GET")
    batch = json.dumps([report.event()])
    if options.sms_callback_method == "json":
        return CallbackRequest(url, batch.encode(), {"Content-Type": "application/json"})
    kind = "application/x-www-form-urlencoded"
    return CallbackRequest(url, urlencode({"response": batch}).encode(), {"Content-Type": kind})


class _Report:
    """In the words of a GET, and in those of a batch."""

    def __init__(self, message: Message, stage: str, code: str, at: datetime) -> None:
        self.message, self.code = message, code or {"delivered": "000"}.get(stage, "")
        self.status = {"delivered": "SUCCESS", "failed": "FAILURE"}.get(stage, "UNKNOWN")
        self.cause = faults.reason(code, SMS) if code else self.status
        self.at = int(at.timestamp() * 1000)
        self.fragments = 1 + (len(message.text) - 1) // 160

    def query(self) -> dict[str, object]:
        return {
            "externalId": self.message.id,
            "deliveredTS": self.at,
            "status": self.status,
            "cause": self.cause,
            "phoneNo": self.message.phone.lstrip("+"),
            "errCode": self.code,
            "noOfFrags": self.fragments,
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
            "noOfFrags": self.fragments,
        }
