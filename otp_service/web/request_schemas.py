"""What requests may say. The OpenAPI document is made from this."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from marshmallow import RAISE, Schema, ValidationError, validate

from otp_service.domain import languages, verification
from otp_service.domain.typed import plain
from otp_service.domain.verification import PURPOSE
from otp_service.web.fields import PHONE, VERIFICATION_ID, Text, matches, needed

ADDRESS = "an IPv4 or IPv6 address, without port or network"


def is_ip_address(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise ValidationError(needed(ADDRESS, "203.0.113.7")) from None


class _Request(Schema):
    class Meta:
        unknown = RAISE

    phone_number = Text(
        "International, with or without separators; digits alone are read as international.",
        PHONE,
        rule="an international phone number",
        format="phone",
        required=True,
    )
    purpose = Text(
        "What is being proved; a code for one purpose never verifies another.",
        "login",
        rule="1 to 32 of a-z, 0-9, _ and -",
        pattern=PURPOSE,
        load_default="login",
    )


class _SendRequest(_Request):
    locale = Text(
        "The person's language, as BCP 47 or POSIX write it; picks the template. One that can't be "
        "read means the default.",
        "en-IN",
        rule="a language as BCP 47 or POSIX write it",
        reads=languages.read,
    )
    client_ip = Text(
        "The end user's address: counted, never stored in clear.",
        "203.0.113.7",
        is_ip_address,
        rule=ADDRESS,
        format="ip",
    )


def send_schema(channels: Iterable[str]) -> type[Schema]:
    """For `/send-otp` and `/resend-otp`, where these channels are configured."""
    choices = [*channels, "auto"]
    rule = f"one of {', '.join(choices)} (what is configured here)"
    known = validate.OneOf(choices, error=needed(rule, "whatsapp"))
    channel = Text(
        "How to reach the person.", "whatsapp", known, rule=rule, load_default="whatsapp"
    )
    return _SendRequest.from_dict({"channel": channel}, name="Send")


def verify_schema(code_length: int) -> type[Schema]:
    """For `/verify-otp`, where codes have ``code_length`` digits."""
    example = "123456789012"[:code_length]
    rule = f"exactly {code_length} digits"
    return _Request.from_dict(
        {
            "otp": Text(
                f"The code as it was typed: {code_length} digits of any script, which may have "
                "blanks and hyphens between them.",
                example,
                matches(f"[0-9]{{{code_length}}}", needed(rule, example)),
                rule=rule,
                format="otp",
                reads=plain,
                plain="[0-9]+",
                required=True,
            ),
            "verification_id": Text(
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

    phone_number = Text(
        "As in `/send-otp`; its plus is `%2B` here, and may be left out.",
        PHONE,
        rule="an international phone number",
        required=True,
    )
    limit = Text(
        "How many at most",
        "20",
        rule="a whole number from 1 to 100",
        pattern="([1-9][0-9]?|100)",
        load_default="20",
    )
