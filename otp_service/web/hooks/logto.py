"""Logto's HTTP SMS connector (npm, @logto/connector-http-sms).

Any 2xx is success; of everything else the body, whatever it is, becomes the error's message. It
does not try again.
"""

from __future__ import annotations

import hashlib

from otp_service.domain.errors import OtpError
from otp_service.web.hooks import fields
from otp_service.web.hooks.hook import (
    LOGIN,
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
from otp_service.web.hooks.signatures import matching
from otp_service.web.hooks.wording import words


def _signed_with(_raw: bytes, header: Header, secrets: Secrets, _now: float) -> bytes | None:
    """It sends what its field "Authorization Header" has: the token alone, or behind Bearer."""
    sent = header("Authorization")
    kind, _, token = sent.partition(" ")
    shown = [sent, token.strip()] if kind.lower() == "bearer" else [sent]
    return matching(
        secrets, _digest, [_digest(each.encode("latin-1", "replace")) for each in shown]
    )


def _digest(token: bytes) -> bytes:
    """All of one length, so that comparing tells nothing of it."""
    return hashlib.sha256(token).digest()


def _read(body: Json) -> Wanted:
    preferred = fields.optional_text(body, "payload.uiLocales").split()
    return Wanted(
        phone=fields.text(body, "to"),
        code=fields.code(body, "payload.code"),
        purpose=fields.purpose(fields.optional_text(body, "type") or LOGIN),
        locale=fields.locale(fields.optional_text(body, "payload.locale"), *preferred),
        address=fields.address(fields.optional_text(body, "ip")),
    )


def _refused(error: OtpError) -> Answer:
    headers = headers_of(error) | retry_after(error)
    text = "text/plain; charset=utf-8"
    return Answer(status_of(error), words(error).encode(), text, headers)


LOGTO = Format(
    name="logto",
    system="Logto",
    setting="HOOK_LOGTO_TOKEN",
    header="Authorization",
    signed_with=_signed_with,
    read=_read,
    done=Answer(200, b"{}"),
    refused=_refused,
    signature="The token, as it stands or behind Bearer",
    schema=fields.schema(
        {
            "to": fields.PHONE,
            "payload": fields.schema(
                {"code": fields.CODE}, locale=fields.TEXT, uiLocales=fields.TEXT
            ),
        },
        type=fields.TEXT,
        ip=fields.TEXT,
    ),
    example={
        "to": "919876543210",
        "type": "SignIn",
        "payload": {"code": "561166", "locale": "en-IN", "uiLocales": "en-IN en"},
        "ip": "203.0.113.7",
    },
)
