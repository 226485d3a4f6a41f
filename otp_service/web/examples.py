"""An example of every success, made by the code that makes the real ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from otp_service.domain import failures
from otp_service.domain.quotas import Quota
from otp_service.domain.relaying import Relayed
from otp_service.domain.sending import Sent
from otp_service.domain.verification import (
    Channel,
    Delivery,
    DeliveryStatus,
    RelayedMessage,
    Status,
    Verification,
)
from otp_service.web.answer_schemas import (
    PROOF,
    MessageSchema,
    RelayedSchema,
    SentSchema,
    VerificationSchema,
    VerifiedSchema,
)
from otp_service.web.fields import MESSAGE_ID, PHONE, VERIFICATION_ID

CREATED = datetime(2026, 11, 22, 17, 30, 28, 125_000, tzinfo=timezone.utc)

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
    created_at=CREATED,
    expires_at=CREATED + timedelta(minutes=3),
    as_of=CREATED,
)

FAILED = Delivery(
    id="d",
    generation=1,
    channel=Channel.WHATSAPP,
    provider="gupshup",
    status=DeliveryStatus.FAILED,
    created_at=CREATED,
    submitted_at=CREATED + timedelta(milliseconds=240),
    failed_at=CREATED + timedelta(seconds=2),
    error_code=failures.NOT_ON_WHATSAPP.code,
    reason="1002: Number Does Not Exists On WhatsApp",
)


SENT = SentSchema().dump(Sent(VERIFICATION, Quota(4), exposed_code=None))
VERIFIED = VerifiedSchema().dump(
    replace(VERIFICATION, status=Status.VERIFIED, verified_at=CREATED + timedelta(seconds=21))
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
                created_at=CREATED + timedelta(seconds=2),
                submitted_at=CREATED + timedelta(seconds=2, milliseconds=310),
                delivered_at=CREATED + timedelta(seconds=6),
            ),
        ),
    )
)
CANCELED = VerificationSchema().dump(
    replace(VERIFICATION, status=Status.CANCELED, canceled_at=CREATED + timedelta(seconds=9))
)
RELAYED = RelayedSchema().dump(
    Relayed(MESSAGE_ID, PHONE, "login", Channel.WHATSAPP, DeliveryStatus.SUBMITTED)
)
QUEUED = RELAYED | {"status": DeliveryStatus.QUEUED.value}
MESSAGE = MessageSchema().dump(
    RelayedMessage(
        id=MESSAGE_ID,
        client="public",
        phone=PHONE,
        purpose="login",
        channel=Channel.WHATSAPP,
        created_at=CREATED,
        expires_at=VERIFICATION.expires_at,
        as_of=CREATED,
        deliveries=(FAILED,),
    )
)
ANY_PHONE = {"phone_number": "+1234567890"}  # its code is 123456 in the sandbox
ANY_MESSAGE = ANY_PHONE | {"otp": "123456"}
