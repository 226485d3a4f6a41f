"""Zitadel's HTTP SMS provider (zitadel, pkg/actions/signing.go, internal/notification).

Its worker waits 5 seconds, takes any 2xx for success and tries again on everything else, three
times within 5 minutes by default. It reads no body; the person has long been shown the next page.
"""

from __future__ import annotations

from otp_service import json_text
from otp_service.domain.errors import OtpError
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
from otp_service.web.hooks.signatures import HEX, hmac_sha256, is_fresh, matching
from otp_service.web.hooks.wording import words

_CODES = ("args.code", "args.Code", "args.oTP", "args.otp", "args.OTP")
"""Zitadel has "Code", and "OTP" for second factors, and makes each one's first letter small."""


def _signed_with(raw: bytes, header: Header, secrets: Secrets, now: float) -> bytes | None:
    """Of ``t=UNIX,v1=HEX,v1=HEX``, one for each of its keys; other versions are passed over."""
    parts = [part.strip().partition("=") for part in header("ZITADEL-Signature").split(",")]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1 or not is_fresh(times[0], now):
        return None
    shown = [value.lower() for name, _, value in parts if name == "v1"]
    return matching(
        secrets,
        lambda secret: hmac_sha256(secret, f"{times[0]}.".encode(), raw),
        [bytes.fromhex(each) for each in shown if HEX.fullmatch(each)],
    )


def _read(body: Json) -> Wanted:
    has_code = any(fields.optional_text(body, path) for path in _CODES)
    in_text = "templateData.text"
    return Wanted(
        phone=fields.text(body, "contextInfo.recipientPhoneNumber"),
        code=fields.code(body, *_CODES) if has_code else fields.code_of_text(body, in_text),
        purpose=fields.purpose(fields.optional_text(body, "contextInfo.eventType")),
    )


def _refused(error: OtpError) -> Answer:
    body = json_text.dumps({"code": error.code, "message": words(error)})
    return Answer(status_of(error), body, headers=headers_of(error) | retry_after(error))


ZITADEL = Format(
    name="zitadel",
    system="Zitadel",
    setting="HOOK_ZITADEL_SECRET",
    header="ZITADEL-Signature",
    signed_with=_signed_with,
    read=_read,
    done=Answer(200, b"{}"),
    refused=_refused,
    signature="t=UNIX,v1=HMAC of `UNIX.BODY`",
    schema=fields.schema(
        {
            "contextInfo": fields.schema(
                {"recipientPhoneNumber": fields.PHONE}, eventType=fields.TEXT
            ),
            "args": fields.schema({"code": fields.CODE}),
        },
        templateData=fields.schema({}, text=fields.TEXT),
    ),
    example={
        "contextInfo": {
            "eventType": "session.otp.sms.challenged",
            "provider": {"id": "285181292935381355", "description": "WhatsApp"},
            "recipientPhoneNumber": "+919876543210",
        },
        "templateData": {"text": "56116643 is your one-time password for example.com."},
        "args": {"code": "56116643", "oTP": "56116643", "preferredLoginName": "road@example.com"},
    },
)
