"""What the OpenAPI document says of Twilio Verify's calls, beside the views' own words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from otp_service.domain import errors as domain
from otp_service.domain.errors import OtpError
from otp_service.domain.verification import Status
from otp_service.web import errors, responses, twilio_answers, twilio_refusals
from otp_service.web.examples import FAILED, VERIFICATION
from otp_service.web.fields import PHONE
from otp_service.web.twilio_forms import EXAMPLE_SID, SERVICE_SID, VERIFICATION_SID

Json = dict[str, Any]
SCHEMES = {
    "twilioKey": {
        "type": "http",
        "scheme": "basic",
        "description": "Any user name, and an API key as the password",
    }
}
KEY_SCHEMES = (*SCHEMES, "bearer", "apiKey")
START = {"To": PHONE, "Channel": "sms"}
UPDATE = {"Status": "canceled"}
CHECK = {"To": PHONE, "Code": "123456"}
EITHER = {"anyOf": [{"required": ["To"]}, {"required": ["VerificationSid"]}]}
"""Of a check's fields."""

_SERVICE_SID = "VA" + "0123456789abcdef" * 2
_ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
_URL = f"https://otp.example/twilio/v2/Services/{_SERVICE_SID}/Verifications"
_ALWAYS: tuple[type[OtpError], ...] = (
    errors.Unauthorized,
    errors.Forbidden,
    errors.NotFound,
    domain.RequestLimitExceeded,
    domain.StorageUnavailable,
)
_FORM = (errors.BodyTooLarge, errors.UnsupportedMediaType)


def start() -> Json:
    kinds = (
        domain.InvalidPhoneNumber,
        domain.DestinationNotAllowed,
        domain.SendLimitExceeded,
        domain.PhoneLocked,
        *_FORM,
    )
    return _operation("201", "Started, or sent again", _verification(), kinds)


def fetch() -> Json:
    return _of_one("Found", _verification(), ())


def update() -> Json:
    at = VERIFICATION.created_at + timedelta(seconds=9)
    canceled = _verification(status=Status.CANCELED, canceled_at=at)
    return _of_one("Canceled", canceled, (domain.InvalidRequest, *_FORM))


def _of_one(description: str, content: Json, kinds: Iterable[type[OtpError]]) -> Json:
    operation = _operation("200", description, content, kinds)
    return {**operation, "parameters": [*operation["parameters"], _NAME]}


def check() -> Json:
    found = replace(VERIFICATION, status=Status.VERIFIED, verified_at=VERIFICATION.as_of)
    right, wrong = (
        twilio_answers.check(found, _SERVICE_SID, _ACCOUNT_SID, is_right=each)
        for each in (True, False)
    )
    kinds = (domain.InvalidPhoneNumber, domain.TooManyAttempts, *_FORM)
    shown = {"TwilioApproved": right, "TwilioWrong": wrong}
    return _operation("200", "Checked", _content("TwilioChecked", shown), kinds)


def _operation(
    status: str, description: str, content: Json, kinds: Iterable[type[OtpError]]
) -> Json:
    success = {"description": description, "content": content}
    return {
        "parameters": [_SERVICE],
        "responses": {**twilio_refusals.refusals({*_ALWAYS, *kinds}), status: success},
    }


def _verification(**facts: Any) -> Json:
    deliveries = (replace(FAILED, id="fedcba9876543210" * 2),)
    found = replace(VERIFICATION, deliveries=deliveries, **facts)
    told = twilio_answers.verification(found, _SERVICE_SID, _ACCOUNT_SID, _URL)
    return _content("TwilioVerification", {f"Twilio{found.status.name.capitalize()}": told})


def _content(title: str, examples: dict[str, Json]) -> Json:
    schema = {"title": title, **responses.shape(next(iter(examples.values())))}
    shown = {name: {"title": name, "value": value} for name, value in examples.items()}
    return {"application/json": {"schema": schema, "examples": shown}}


_SERVICE = {
    "title": "TwilioServiceSid",
    "name": "service_sid",
    "in": "path",
    "required": True,
    "description": "Any sid of a service: its 32 digits are the purpose",
    "schema": {"type": "string", "pattern": f"^{SERVICE_SID}$", "example": _SERVICE_SID},
}
_NAME = {
    "title": "TwilioVerificationSid",
    "name": "sid",
    "in": "path",
    "required": True,
    "description": "The verification's sid, or the phone in E.164",
    "schema": {
        "type": "string",
        "pattern": rf"^({VERIFICATION_SID}|\+?[0-9]{{8,15}})$",
        "example": EXAMPLE_SID,
    },
}
