"""Supabase Auth's Send SMS hook (supabase/auth, internal/hooks/hookshttp and v0hooks).

It waits 5 seconds for all of its three tries, inside its own transaction. Of another status than
200, 202 and 204 it tells people nothing; of 429 and 503 with Retry-After it tries again at once,
whatever the number of seconds is.
"""

from __future__ import annotations

import re
from base64 import b64encode

from otp_service import json_text
from otp_service.domain.errors import OtpError, StorageUnavailable
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
from otp_service.web.hooks.signatures import hmac_sha256, is_fresh, matching
from otp_service.web.hooks.wording import is_for_people, words

_ID = re.compile("[!-~]{1,255}")
_SIGNATURES = re.compile("v1,([A-Za-z0-9+/=]+)")  # whatever is between: it writes ", ", others " "


def _signed_with(raw: bytes, header: Header, secrets: Secrets, now: float) -> bytes | None:
    name, sent = header("webhook-id"), header("webhook-timestamp")
    if not _ID.fullmatch(name) or not is_fresh(sent, now):
        return None
    signed = f"{name}.{sent}.".encode()
    shown = [each.encode() for each in _SIGNATURES.findall(header("webhook-signature"))]
    return matching(secrets, lambda secret: b64encode(hmac_sha256(secret, signed, raw)), shown)


def _read(body: Json) -> Wanted:
    phone = fields.text(body, "sms.phone")
    return Wanted(
        phone=phone if phone.startswith("+") else f"+{phone}",
        code=fields.code(body, "sms.otp"),
        purpose=fields.purpose(fields.optional_text(body, "sms.sms_type") or LOGIN),
        address=fields.address(fields.optional_text(body, "metadata.ip_address")),
        repeat=fields.optional_text(body, "metadata.uuid") or None,
    )


def _refused(error: OtpError) -> Answer:
    """A try at once helps where the store was away: another connection may be better off."""
    status = status_of(error)
    body = json_text.dumps({"error": {"http_code": status, "message": words(error)}})
    if isinstance(error, StorageUnavailable):
        return Answer(status, body, headers=retry_after(error))
    shown = 200 if is_for_people(error) else status
    return Answer(shown, body, headers=headers_of(error))


SUPABASE = Format(
    name="supabase",
    system="Supabase Auth",
    setting="HOOK_SUPABASE_SECRET",
    header="webhook-signature",
    signed_with=_signed_with,
    read=_read,
    done=Answer(200, b"{}"),
    refused=_refused,
    signature="Standard Webhooks, with `webhook-id` and `webhook-timestamp`: v1, and the HMAC",
    repeats=True,
    schema=fields.schema(
        {"sms": fields.schema({"phone": fields.PHONE, "otp": fields.CODE}, sms_type=fields.TEXT)},
        metadata=fields.schema({}, uuid=fields.TEXT, ip_address=fields.TEXT),
    ),
    example={
        "metadata": {
            "uuid": "8656b142-f94f-4a0d-93ae-a72e2d0cbb5a",
            "time": "2026-11-28T10:30:00Z",
            "name": "send-sms",
            "ip_address": "203.0.113.7",
        },
        "user": {"id": "6481a5c1-3d37-4a56-9f6a-bee08c554965", "phone": "919876543210"},
        "sms": {"otp": "561166", "phone": "919876543210"},
    },
)
