"""What the OpenAPI document says of refusals in Twilio's words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from otp_service.domain.errors import OtpError
from otp_service.web import responses, twilio_errors
from otp_service.web.example_refusals import REFUSALS
from otp_service.web.refusal_schemas import TEXT, WHOLE

Json = dict[str, Any]


def refusals(kinds: set[type[OtpError]]) -> dict[str, Json]:
    """One response for each status, with an example of each number that it may have."""
    by_status: dict[int, dict[int, OtpError]] = {}
    for kind, refusal in twilio_errors.REFUSALS.items():  # one order for all
        if kind in kinds:
            by_status.setdefault(refusal.status, {})[refusal.number] = REFUSALS[kind]
    return {str(status): _refusal(group) for status, group in sorted(by_status.items())}


def _refusal(group: dict[int, OtpError]) -> Json:
    examples = {str(number): _example(number, error) for number, error in group.items()}
    names = "Or".join(type(error).__name__ for error in group.values())
    return {
        "title": f"Twilio{names}",
        "description": f"Twilio's error {', '.join(examples)}",
        "content": {"application/json": {"schema": _ERROR, "examples": examples}},
        **_headers(group.values()),
    }


def _example(number: int, error: OtpError) -> Json:
    value, _ = twilio_errors.told(error)
    return {"title": f"Twilio{number}{type(error).__name__}", "value": value}


def _headers(group: Iterable[OtpError]) -> Json:
    headers = responses.headers(list(group))
    return {"headers": headers} if headers else {}


_ERROR = {
    "title": "TwilioError",
    "type": "object",
    "required": ["code", "message", "more_info", "status"],
    "properties": {
        "code": {**WHOLE, "description": "Twilio's number of the error"},
        "message": TEXT,
        "more_info": {**TEXT, "description": "Twilio's page of the number"},
        "status": {**WHOLE, "description": "The HTTP status"},
    },
}
