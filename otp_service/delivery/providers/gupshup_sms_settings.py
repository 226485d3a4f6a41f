"""Gupshup's enterprise account, for SMS."""

from __future__ import annotations

from dataclasses import dataclass, field

from otp_service.environment import Reader

API_URL = "https://enterprise.smsgupshup.com/GatewayAPI/rest"
TEXT = "{code} is your verification code."


@dataclass(frozen=True)
class SmsSettings:
    """The ``GUPSHUP_SMS_*`` variables. ``text`` has ``{code}`` and may have ``{minutes}``.

    The last three are what Indian networks ask for: the sender, the text and its six letters as
    registered (DLT).
    """

    user_id: str = ""
    password: str = field(default="", repr=False)
    text: str = TEXT
    principal_entity_id: str = ""
    dlt_template_id: str = ""
    mask: str = ""
    api_url: str = API_URL

    @property
    def missing(self) -> list[str]:
        """Names of the environment variables without which nothing can be sent."""
        needed = {"USERID": self.user_id, "PASSWORD": self.password}
        return [f"GUPSHUP_SMS_{name}" for name, value in needed.items() if not value.strip()]


def read_settings(read: Reader) -> SmsSettings:
    return SmsSettings(
        user_id=read.text("GUPSHUP_SMS_USERID", "The enterprise account's user"),
        password=read.secret("GUPSHUP_SMS_PASSWORD", "The enterprise account's password"),
        text=read.text("GUPSHUP_SMS_TEXT", "What an SMS says", TEXT),
        principal_entity_id=read.text(
            "GUPSHUP_SMS_PRINCIPAL_ENTITY_ID", "The sender as registered in India (DLT)"
        ),
        dlt_template_id=read.text(
            "GUPSHUP_SMS_DLT_TEMPLATE_ID", "The text as registered in India (DLT)"
        ),
        mask=read.text("GUPSHUP_SMS_MASK", "The six letters that an SMS shows in India (DLT)"),
        api_url=read.address("GUPSHUP_SMS_API_URL", "Where SMS is sent to", API_URL),
    )
