"""An example of every answer, made by the code that makes the real ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from otp_service.domain import errors as domain
from otp_service.domain import failures
from otp_service.domain.errors import OtpError
from otp_service.domain.limits import Limit
from otp_service.domain.ports import Quota
from otp_service.domain.sending import Sent
from otp_service.domain.verification import (
    Channel,
    Delivery,
    DeliveryStatus,
    Status,
    Verification,
)
from otp_service.web import errors as web
from otp_service.web import json_position
from otp_service.web.schemas import (
    PHONE,
    PROOF,
    VERIFICATION_ID,
    SentSchema,
    VerificationSchema,
    VerifiedSchema,
)

_CREATED = datetime(2026, 11, 22, 17, 30, 28, 125_000, tzinfo=timezone.utc)
_END = _CREATED + timedelta(minutes=5)

VERIFICATION = Verification(
    id=VERIFICATION_ID,
    client="public",
    phone=PHONE,
    purpose="login",
    channel=Channel.WHATSAPP,
    status=Status.PENDING,
    generation=1,
    attempts=0,
    max_attempts=5,
    created_at=_CREATED,
    expires_at=_CREATED + timedelta(minutes=3),
    as_of=_CREATED,
)

FAILED = Delivery(
    id="d",
    generation=1,
    channel=Channel.WHATSAPP,
    provider="gupshup",
    status=DeliveryStatus.FAILED,
    created_at=_CREATED,
    submitted_at=_CREATED + timedelta(milliseconds=240),
    failed_at=_CREATED + timedelta(seconds=2),
    error_code=failures.NOT_ON_WHATSAPP.code,
    reason="1002: Number Does Not Exists On WhatsApp",
)


def _not_sent(failure: failures.Failure, reason: str) -> OtpError:
    error = domain.delivery_error(failure, reason)
    error.phone, error.verification_id = PHONE, VERIFICATION_ID
    return error


_REFUSALS: tuple[OtpError, ...] = (
    domain.CodeAlreadySent(VERIFICATION, Quota(4), FAILED),
    domain.CodeIncorrect(phone=PHONE, attempts_remaining=4),
    domain.CodeNotFound(phone=PHONE),
    domain.InvalidRequest({"otp": ["Missing. Needed: exactly 6 digits, such as 123456."]}),
    domain.InvalidPhoneNumber("too_short"),
    domain.VerificationNotFound(),
    domain.SendLimitExceeded(
        phone=PHONE, retry_after=412, **Limit("phone_sends", 5, 600).told(), resets_at=_END
    ),
    domain.RequestLimitExceeded(
        retry_after=1, **Limit("client_requests", 50, 1).told(), resets_at=_END
    ),
    domain.DestinationNotAllowed(phone=PHONE, reason="country"),
    domain.TooManyAttempts(
        phone=PHONE, retry_after=97, limit="verification_attempts", allowed=5, resets_at=_END
    ),
    domain.PhoneLocked(
        phone=PHONE, retry_after=2711, **Limit("phone_failures", 10, 3600).told(), resets_at=_END
    ),
    _not_sent(failures.BALANCE_EMPTY, "1003: Wallet Balance Low"),
    domain.IdempotencyInProgress(phone=PHONE, retry_after=1),
    domain.IdempotencyKeyReused(phone=PHONE),
    _not_sent(failures.RATE_LIMITED, "130429: Rate limit hit"),
    _not_sent(failures.UNCONFIRMED, "no usable answer: ReadTimeout"),
    domain.StorageUnavailable(),
    web.BadRequest(),
    web.InvalidJson(**json_position.place("Expecting ',' delimiter", '{"otp": "1" ', 12)),
    web.WrongWebhookSecret(),
    web.WrongWebhookSignature(),
    web.WrongVerifyToken(),
    web.Unauthorized(),
    web.WrongWebhookAddress(),
    web.Forbidden(),
    web.NotFound(),
    web.MethodNotAllowed(),
    web.BodyTooLarge(),
    web.UnsupportedMediaType(),
    web.Busy(retry_after=5),
    web.NotReady(),
    web.InternalError(),
)
REFUSALS = {type(refusal): refusal for refusal in _REFUSALS}

SENT = SentSchema().dump(Sent(VERIFICATION, Quota(4), exposed_code=None))
VERIFIED = VerifiedSchema().dump(
    replace(VERIFICATION, status=Status.VERIFIED, verified_at=_CREATED + timedelta(seconds=21))
)
# Signed with the private key of RFC 8037, appendix A.1.
PROVED = VERIFIED | {"proof": PROOF}
PUBLIC_KEYS = {
    "keys": [
        {
            "crv": "Ed25519",
            "kty": "OKP",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
            "use": "sig",
            "alg": "EdDSA",
        }
    ]
}
FOUND = VerificationSchema().dump(
    replace(
        VERIFICATION,
        deliveries=(
            FAILED,
            Delivery(
                id="e",
                generation=1,
                channel=Channel.SMS,
                provider="gupshup-sms",
                status=DeliveryStatus.DELIVERED,
                created_at=_CREATED + timedelta(seconds=2),
                submitted_at=_CREATED + timedelta(seconds=2, milliseconds=310),
                delivered_at=_CREATED + timedelta(seconds=6),
            ),
        ),
    )
)
CANCELED = VerificationSchema().dump(
    replace(VERIFICATION, status=Status.CANCELED, canceled_at=_CREATED + timedelta(seconds=9))
)
ANY_PHONE = {"phone_number": "+1234567890"}  # its code is 123456 in the sandbox
MESSAGE_TEXT = "{code} is your verification code. For your security, do not share this code."
INBOX = {
    "messages": [
        {
            "id": "d",
            "phone_number": PHONE,
            "shown_number": "+91 98765 43210",
            "purpose": "login",
            "text": MESSAGE_TEXT.format(code="123456"),
            "code": "123456",
            "status": "pending",
            "sent_at": SENT["expires_at"],
            "expires_at": SENT["expires_at"],
        }
    ]
}
CONFIGURATION = {
    "provider": "gupshup",
    "api_url": "https://api.gupshup.io/wa/api/v1/template/msg",
    "api_key": "••••3f9a",
    "source": "917834811114",
    "template_id": "c6aecef6-bcb0-4fb1-8100-28c094e3bc6b",
    "src_name": "DemoApp",
    "param_count": 1,
    "missing": ["GUPSHUP_API_KEY"],
}
TEST_REQUEST = {
    "method": "POST",
    "url": CONFIGURATION["api_url"],
    "headers": {"apikey": "••••3f9a", "Content-Type": "application/x-www-form-urlencoded"},
    "form": {
        "channel": "whatsapp",
        "source": "917834811114",
        "src.name": "DemoApp",
        "destination": "1234567890",
        "template": '{"id": "c6aecef6-bcb0-4fb1-8100-28c094e3bc6b", "params": ["123456"]}',
    },
}


def shape(example: Any) -> dict[str, Any]:
    """The JSON Schema of whatever has exactly the example's fields."""
    if isinstance(example, dict):
        properties = {name: shape(value) for name, value in example.items()}
        return {"type": "object", "required": sorted(example), "properties": properties}
    if isinstance(example, list):
        return {"type": "array", "items": shape(example[0])}
    return {"type": "integer" if isinstance(example, int) else "string"}
