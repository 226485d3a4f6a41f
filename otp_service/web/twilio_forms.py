"""What Twilio Verify's calls may say: fields of forms, under Twilio's names.

Unknown fields are ignored: Twilio has many, for what there is not here.
"""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema, validate

from otp_service.domain import languages
from otp_service.domain.typed import plain
from otp_service.web.fields import PHONE, Text, matches, needed
from otp_service.web.request_schemas import ADDRESS, is_ip_address

CHANNELS = ("sms", "whatsapp", "auto")
VERIFICATION_SID = "VE[0-9a-fA-F]{32}"
SERVICE_SID = "VA[0-9a-fA-F]{32}"
EXAMPLE_SID = "VE" + "0123456789abcdef" * 2
_DIGITS = "4 to 10 digits"
_CHANNELS = f"one of {', '.join(CHANNELS)}"
_STATUS = "the only status that can be set"


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE


class TwilioStart(_Form):
    To = Text(
        "The phone, in E.164.",
        PHONE,
        rule="an international phone number",
        format="phone",
        required=True,
    )
    Channel = Text(
        "How to reach the person. `sms` is WhatsApp where no SMS sender is configured.",
        "sms",
        validate.OneOf(CHANNELS, error=needed(_CHANNELS, "sms")),
        rule=_CHANNELS,
        required=True,
    )
    Locale = Text(
        "The person's language; one that can't be read means the default.",
        "en",
        rule="a language",
        reads=languages.read,
    )
    CustomCode = Text(
        "A code of yours, delivered and checked as it is.",
        "8163",
        rule=_DIGITS,
        pattern="[0-9]{4,10}",
    )
    DeviceIp = Text(
        "The end user's address: counted, never stored in clear.",
        "203.0.113.7",
        is_ip_address,
        rule=ADDRESS,
        format="ip",
    )


class TwilioUpdate(_Form):
    Status = Text(
        "`canceled` ends it. `approved`, which Twilio knows, is refused.",
        "canceled",
        validate.OneOf(["canceled"], error=needed(_STATUS, "canceled")),
        rule=_STATUS,
        required=True,
    )


class TwilioCheck(_Form):
    To = Text("The phone, if no sid is given.", PHONE, format="phone")
    VerificationSid = Text(
        "The verification, if no phone is given.",
        EXAMPLE_SID,
        rule="the sid of a verification",
        pattern=VERIFICATION_SID,
    )
    Code = Text(
        "The code as it was typed: 4 to 10 digits of any script, which may have blanks and hyphens "
        "between them.",
        "123456",
        matches("[0-9]{4,10}", needed(_DIGITS, "123456")),
        rule=_DIGITS,
        format="otp",
        reads=plain,
        required=True,
    )
