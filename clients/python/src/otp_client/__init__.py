"""Calls the OTP service: send, resend, verify a code; verifies its events and proofs.

::

    client = OtpClient("https://otp.example.com", api_key)
    sent = client.send("+919876543210")
    client.verify("+919876543210", "123456", verification_id=sent.verification_id)

Proofs are verified by `otp_client.proofs`, which needs ``otp-client[proofs]``.
"""

from otp_client.answers import Delivery, LastMessage, Message, Pricing, Sent, Verification, Verified
from otp_client.client import OtpClient
from otp_client.errors import (
    ApiError,
    CallerError,
    DeliveryError,
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
    DestinationNotAllowed,
    Forbidden,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    InvalidOtp,
    InvalidPhoneNumber,
    InvalidRequest,
    LimitReached,
    NoAnswer,
    NotFound,
    OtpAlreadySent,
    OtpClientError,
    OtpNotFound,
    PersonError,
    PhoneLocked,
    RateLimitExceeded,
    SendLimitExceeded,
    ServiceError,
    StorageUnavailable,
    TooManyAttempts,
    Unauthorized,
    UnexpectedAnswer,
)
from otp_client.events import Event, EventData, EventVerifier, InvalidEvent
from otp_client.version import __version__

__all__ = [
    "ApiError",
    "CallerError",
    "Delivery",
    "DeliveryError",
    "DeliveryFailed",
    "DeliveryUnavailable",
    "DeliveryUnconfirmed",
    "DestinationNotAllowed",
    "Event",
    "EventData",
    "EventVerifier",
    "Forbidden",
    "IdempotencyInProgress",
    "IdempotencyKeyReused",
    "InvalidEvent",
    "InvalidOtp",
    "InvalidPhoneNumber",
    "InvalidRequest",
    "LastMessage",
    "LimitReached",
    "Message",
    "NoAnswer",
    "NotFound",
    "OtpAlreadySent",
    "OtpClient",
    "OtpClientError",
    "OtpNotFound",
    "PersonError",
    "PhoneLocked",
    "Pricing",
    "RateLimitExceeded",
    "SendLimitExceeded",
    "Sent",
    "ServiceError",
    "StorageUnavailable",
    "TooManyAttempts",
    "Unauthorized",
    "UnexpectedAnswer",
    "Verification",
    "Verified",
    "__version__",
]
