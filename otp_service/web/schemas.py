"""What requests may say, and the shapes of answers. The OpenAPI document is made from these."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from enum import Enum
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_dump, validate

from otp_service.domain import languages, verification
from otp_service.domain.failures import explain
from otp_service.domain.typed import plain
from otp_service.domain.verification import PURPOSE, Channel, DeliveryStatus, Status

PHONE = "+919876543210"
TIME = "2026-11-22T17:33:28.125Z"
VERIFICATION_ID = "s" + "0123456789abcdef" * 2  # as the sandbox gives them
PROOF = (
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImtQcktfcW14VldhWVZBOXd3QkY2SXVvM3ZWeno3VHhIQ1R3WEJ5Z3JTNGsiLC"
    "J0eXAiOiJKV1QifQ.eyJpc3MiOiJvdHAtc2VydmljZSIsInN1YiI6Iis5MTk4NzY1NDMyMTAiLCJhdWQiOiJzaG9wI"
    "iwiaWF0IjoxNzk1MzY4NjQ5LCJleHAiOjE3OTUzNjg5NDksImp0aSI6IlJrMVpDNWJCWGhIR2ZUak4zcTBYM2ciLCJ"
    "wdXJwb3NlIjoibG9naW4iLCJ2ZXJpZmljYXRpb25faWQiOiJzMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZ"
    "WYiLCJjaGFubmVsIjoid2hhdHNhcHAiLCJhdXRoX3RpbWUiOjE3OTUzNjg2NDl9.2H2-xGNM8l1d0Ay2GEuJZTVG00"
    "0N6gMPEMSJFgfDmSlIKGOL2Qz_ODWKad4Z5kf70v_vocb8NxQiGYQWf9QIBw"
)


def _text(
    description: str,
    example: str,
    *validators: Any,
    rule: str = "",
    pattern: str = "",
    format: str = "",  # noqa: A002 (JSON Schema's word)
    reads: Callable[[str], str | None] | None = None,
    **kwargs: Any,
) -> fields.String:
    """A text; the whole of it must match ``pattern`` (one that JavaScript reads the same way).

    ``rule`` says the same in words, for who got it wrong: what the text has to be. ``reads`` makes
    of the text what was meant by it, before it is looked at.
    """
    metadata = {"description": description, "example": example}
    if format:
        metadata["format"] = format
    if pattern:
        metadata["pattern"] = f"^{pattern}$"
        validators = (*validators, _matches(pattern, needed(rule, example)))
    if rule:
        kwargs["error_messages"] = _messages(needed(rule, example))
    if reads:
        return _Read(reads, validate=validators, metadata=metadata, **kwargs)
    return fields.String(validate=validators, metadata=metadata, **kwargs)


class _Read(fields.String):
    """A text that is kept as what was meant by it."""

    def __init__(self, reads: Callable[[str], str | None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._reads = reads

    def _deserialize(self, *args: Any, **kwargs: Any) -> Any:
        return self._reads(super()._deserialize(*args, **kwargs))


def needed(rule: str, example: str) -> str:
    """What a wrong field is told."""
    return f"Needed: {rule}, such as {example}."


def _messages(told: str) -> dict[str, str]:
    return {
        "required": f"Missing. {told}",
        "null": f"Not null. {told}",
        "invalid": f"Not a string. {told}",
    }


def _matches(pattern: str, told: str) -> Callable[[str], None]:
    """Unlike `validate.Regexp` with ``$``, this refuses a trailing newline."""

    def check(text: str) -> None:
        if not re.fullmatch(pattern, text):
            raise ValidationError(told)

    return check


def _whole(description: str, example: int, **kwargs: Any) -> fields.Integer:
    return fields.Integer(metadata={"description": description, "example": example}, **kwargs)


def _choice(values: type[Enum], **kwargs: Any) -> fields.Enum[Any]:
    """One of these, and one component of the document wherever it is."""
    metadata = {"title": values.__name__, "type": "string"}
    return fields.Enum(values, by_value=True, required=True, metadata=metadata, **kwargs)


def rfc3339(time: datetime) -> str:
    """In UTC, to the millisecond. ``time`` is aware."""
    text = time.astimezone(timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


class Time(fields.DateTime):
    """An aware time as RFC 3339 in UTC, to the millisecond."""

    def _serialize(self, value: datetime | None, *args: Any, **kwargs: Any) -> str | None:
        return None if value is None else rfc3339(value)


def _time(description: str, **kwargs: Any) -> Time:
    return Time(metadata={"description": description, "example": TIME}, **kwargs)


_ADDRESS = "an IPv4 or IPv6 address, without port or network"


def _ip_address(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise ValidationError(needed(_ADDRESS, "203.0.113.7")) from None


class _Request(Schema):
    class Meta:
        unknown = RAISE

    phone_number = _text(
        "International, with or without separators; digits alone are read as international.",
        PHONE,
        rule="an international phone number",
        format="phone",
        required=True,
    )
    purpose = _text(
        "What is being proved; a code for one purpose never verifies another.",
        "login",
        rule="1 to 32 of a-z, 0-9, _ and -",
        pattern=PURPOSE,
        load_default="login",
    )


class _SendRequest(_Request):
    locale = _text(
        "The person's language, as BCP 47 or POSIX write it; picks the template. One that can't be "
        "read means the default.",
        "en-IN",
        rule="a language as BCP 47 or POSIX write it",
        reads=languages.read,
    )
    client_ip = _text(
        "The end user's address: counted, never stored in clear.",
        "203.0.113.7",
        _ip_address,
        rule=_ADDRESS,
        format="ip",
    )


def send_schema(channels: Iterable[str]) -> type[Schema]:
    """For `/send-otp` and `/resend-otp`, where these channels are configured."""
    choices = [*channels, "auto"]
    rule = f"one of {', '.join(choices)} (what is configured here)"
    known = validate.OneOf(choices, error=needed(rule, "whatsapp"))
    channel = _text(
        "How to reach the person.", "whatsapp", known, rule=rule, load_default="whatsapp"
    )
    return _SendRequest.from_dict({"channel": channel}, name="Send")


def verify_schema(code_length: int) -> type[Schema]:
    """For `/verify-otp`, where codes have ``code_length`` digits."""
    example = "123456789012"[:code_length]
    rule = f"exactly {code_length} digits"
    return _Request.from_dict(
        {
            "otp": _text(
                f"The code as it was typed: {code_length} digits of any script, which may have "
                "blanks and hyphens between them.",
                example,
                _matches(f"[0-9]{{{code_length}}}", needed(rule, example)),
                rule=rule,
                format="otp",
                reads=plain,
                required=True,
            ),
            "verification_id": _text(
                "Checks this verification only.",
                VERIFICATION_ID,
                rule="the verification_id of an answer to /send-otp",
                pattern=verification.VERIFICATION_ID,
            ),
        },
        name="Verify",
    )


class PhoneQuerySchema(Schema):
    """Which verifications to list. A plus that was not encoded arrives as a blank."""

    class Meta:
        unknown = RAISE

    phone_number = _text(
        "As in `/send-otp`; its plus is `%2B` here, and may be left out.",
        PHONE,
        rule="an international phone number",
        required=True,
    )
    limit = _text(
        "How many at most",
        "20",
        rule="a whole number from 1 to 100",
        pattern="([1-9][0-9]?|100)",
        load_default="20",
    )


class _Answer(Schema):
    @post_dump
    def without_empty(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if value is not None}


class LastMessageSchema(_Answer):
    """The message that carries a live code, where another is asked for."""

    channel = _choice(Channel)
    status = _choice(DeliveryStatus)
    failure = _text(
        "Why it failed; never changes its meaning", "not_on_whatsapp", attribute="error_code"
    )
    explanation = fields.Function(
        lambda delivery: explain(delivery.error_code),
        metadata={"type": "string", "description": "The same in plain words"},
    )
    reason = _text("The provider's own reason", "1002: Number Does Not Exists On WhatsApp")


class SentSchema(_Answer):
    """A verification that waits for its code."""

    verification_id = _text(
        "Names this verification", VERIFICATION_ID, attribute="verification.id", required=True
    )
    phone_number = _text("E.164", PHONE, attribute="verification.phone", required=True)
    purpose = _text(
        "What is being proved", "login", attribute="verification.purpose", required=True
    )
    status = _choice(Status, attribute="verification.status")
    channel = _choice(Channel, attribute="verification.channel")
    expires_at = _time("When the code ends", attribute="verification.expires_at", required=True)
    expires_in = _whole("Seconds until then", 180, attribute="verification.expires_in")
    attempts_remaining = _whole(
        "Wrong guesses left", 5, attribute="verification.attempts_remaining"
    )
    sends_remaining = _whole("Messages left for this phone", 4, attribute="quota.remaining")
    resend_after = _whole("Seconds until one may be sent", 0, attribute="quota.retry_after")
    otp = _text("The code itself: in the sandbox only", "123456", attribute="exposed_code")
    delivery = fields.Nested(
        LastMessageSchema, metadata={"description": "With `otp_already_sent` only"}
    )


class VerifiedSchema(_Answer):
    phone_number = _text("E.164", PHONE, attribute="phone", required=True)
    purpose = _text("What is being proved", "login", required=True)
    verification_id = _text(
        "Names this verification", VERIFICATION_ID, attribute="id", required=True
    )
    verified_at = _time("When the right code was checked", required=True)
    proof = _text("A signed JWT that says so, where OTP_PROOF is on", PROOF)


class PricingSchema(_Answer):
    """What the provider told of a message's price: no amount, but what it is reckoned by."""

    billable = fields.Boolean(metadata={"description": "Whether it is charged for"})
    pricing_model = _text("PMP: per message", "PMP", attribute="model")
    category = _text("In Meta's words", "authentication")
    type = _text("In Meta's words", "regular")


class DeliverySchema(_Answer):
    """One message."""

    channel = _choice(Channel)
    provider = _text("Who carries it", "gupshup", required=True)
    status = _choice(DeliveryStatus)
    queued_at = _time("Stored, to be sent", attribute="created_at", required=True)
    submitted_at = _time("The provider took it")
    sent_at = _time("On its way to the phone")
    delivered_at = _time("On the phone")
    read_at = _time("Seen by the person")
    failed_at = _time("It did not arrive")
    error_code = _text("Why it failed; never changes its meaning", "not_on_whatsapp")
    explanation = fields.Function(
        lambda delivery: explain(delivery.error_code),
        metadata={"type": "string", "description": "The same in plain words"},
    )
    reason = _text("The provider's own reason", "1002: Number Does Not Exists On WhatsApp")
    pricing = fields.Nested(PricingSchema, attribute="price")


class VerificationSchema(_Answer):
    """A verification with all its deliveries, in order."""

    verification_id = _text(
        "Names this verification", VERIFICATION_ID, attribute="id", required=True
    )
    phone_number = _text("E.164", PHONE, attribute="phone", required=True)
    purpose = _text("What is being proved", "login", required=True)
    channel = _choice(Channel)
    status = _choice(Status)
    attempts = _whole("Wrong guesses so far", 0, required=True)
    attempts_remaining = _whole("Wrong guesses left", 5, required=True)
    created_at = _time("When it was begun", required=True)
    expires_at = _time("When its code ends", required=True)
    expires_in = _whole("Seconds until then, 0 when over", 180, required=True)
    verified_at = _time("When the right code was checked")
    canceled_at = _time("When it was canceled")
    deliveries = fields.List(fields.Nested(DeliverySchema), required=True)
    client = _text("Whose it is: told to keys with the scope `support`", "shop")


class VerificationsSchema(_Answer):
    """The newest first."""

    verifications = fields.List(fields.Nested(VerificationSchema), required=True)


class InboxMessageSchema(_Answer):
    """A message as the sandbox's phone shows it; ``status`` is its verification's."""

    id = _text("Names this message", "d0", attribute="delivery.id", required=True)
    phone_number = _text("E.164", PHONE, attribute="verification.phone", required=True)
    shown_number = _text("As its country groups the digits", "+91 98765 43210", required=True)
    purpose = _text(
        "What is being proved", "login", attribute="verification.purpose", required=True
    )
    text = _text("What the phone shows", "123456 is your verification code.", required=True)
    code = _text("The digits in it", "123456", required=True)
    status = _text("Its verification's, or `replaced` by a newer code", "pending", required=True)
    sent_at = _time("When it was sent", attribute="delivery.created_at", required=True)
    expires_at = _time("When its code ends", attribute="expires_at", required=True)
