"""Authgear's custom SMS gateway (authgear-server, docs/specs/sms_gateway.md).

It reads ``code`` in the body whatever the status is, shows people its own words for it, and does
not try again. Older ones know the status alone.
"""

from __future__ import annotations

from otp_service import json_text
from otp_service.domain import errors as domain
from otp_service.domain.errors import OtpError
from otp_service.web import errors as web
from otp_service.web.hooks import fields
from otp_service.web.hooks.hook import (
    Answer,
    Format,
    Header,
    Json,
    Secrets,
    Wanted,
    headers_of,
    retry_after,
    status_of,
)
from otp_service.web.hooks.signatures import HEX, hmac_sha256, matching
from otp_service.web.hooks.wording import words

_CODES: dict[type[OtpError], str] = {
    domain.InvalidPhoneNumber: "invalid_phone_number",
    domain.SendLimitExceeded: "rate_limited",
    domain.RequestLimitExceeded: "rate_limited",
    domain.DestinationNotAllowed: "delivery_rejected",
    domain.DeliveryFailed: "delivery_rejected",
    domain.StorageUnavailable: "timeout",  # "a temporary error: try again later"
    domain.HomeUnreachable: "timeout",
    domain.DeliveryUnavailable: "timeout",
    domain.DeliveryUnconfirmed: "timeout",
    domain.InvalidRequest: "unsupported_request",
    web.InvalidJson: "unsupported_request",
    web.UnsupportedMediaType: "unsupported_request",
    web.BodyTooLarge: "unsupported_request",
    web.WrongHookSignature: "authentication_failed",
}


def _signed_with(raw: bytes, header: Header, secrets: Secrets, _now: float) -> bytes | None:
    shown = header("x-authgear-body-signature").lower()
    if not HEX.fullmatch(shown):
        return None
    return matching(secrets, lambda secret: hmac_sha256(secret, raw), [bytes.fromhex(shown)])


def _read(body: Json) -> Wanted:
    given = fields.optional_text(body, "template_variables.code")
    code = fields.code(body, "template_variables.code") if given else _code_of(body)
    template = fields.optional_text(body, "template_name").removesuffix(".txt")
    return Wanted(
        phone=fields.text(body, "to"),
        code=code,
        purpose=fields.purpose(template),
        locale=fields.locale(fields.optional_text(body, "language_tag")),
    )


def _code_of(body: Json) -> str:
    """A link has digits, too, and is no code."""
    if fields.optional_text(body, "template_variables.link"):
        fields.refuse("template_variables.link", "Only codes are sent, no links.")
    return fields.code_of_text(body, "body")


def _refused(error: OtpError) -> Answer:
    code = _CODES.get(type(error), "unknown_error")
    body = json_text.dumps({"code": code, "description": words(error)})
    return Answer(status_of(error), body, headers=headers_of(error) | retry_after(error))


AUTHGEAR = Format(
    name="authgear",
    system="Authgear",
    setting="HOOK_AUTHGEAR_SECRET",
    header="x-authgear-body-signature",
    signed_with=_signed_with,
    read=_read,
    done=Answer(200, b'{"code": "ok"}'),
    refused=_refused,
    signature="The body's HMAC in hexadecimal digits",
    schema=fields.schema(
        {
            "to": fields.PHONE,
            "template_variables": fields.schema({"code": fields.CODE}),
        },
        body=fields.TEXT,
        language_tag=fields.TEXT,
        template_name=fields.TEXT,
    ),
    example={
        "to": "+919876543210",
        "body": "561166 is your Myapp verification code",
        "language_tag": "en",
        "app_id": "myapp",
        "template_name": "authenticate_primary_oob_sms.txt",
        "template_variables": {"code": "561166"},
    },
)
