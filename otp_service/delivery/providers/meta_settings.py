"""Meta's account for the Cloud API, and its webhook."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from otp_service.domain import languages
from otp_service.environment import Reader

API_URL = "https://graph.facebook.com/v23.0"


@dataclass(frozen=True)
class MetaSettings:
    """The ``META_*`` variables. ``languages``: those that the template has; the first is default.

    ``app_secret`` and ``verify_token`` are for its webhook.
    """

    access_token: str = field(default="", repr=False)
    phone_number_id: str = ""
    template: str = ""
    languages: tuple[str, ...] = ("en_US",)
    api_url: str = API_URL
    app_secret: str = field(default="", repr=False)
    verify_token: str = field(default="", repr=False)

    @property
    def missing(self) -> list[str]:
        """Names of the environment variables without which nothing can be sent."""
        names = ("access_token", "phone_number_id", "template")
        return [f"META_{name.upper()}" for name in names if not getattr(self, name).strip()]


_METAS_LANGUAGE = r"[a-z]{2,3}(_[A-Z]{2})?"


def read_settings(read: Reader) -> MetaSettings:
    named = read.text(
        "META_TEMPLATE_LANGUAGES", "The template's languages, the default first", "en_US"
    ).split(",")
    return MetaSettings(
        access_token=read.secret("META_ACCESS_TOKEN", "The WhatsApp account's token at Meta"),
        phone_number_id=read.text("META_PHONE_NUMBER_ID", "Meta's id of the sender's number"),
        template=read.text("META_TEMPLATE", "The template's name at Meta"),
        languages=tuple(map(_as_meta_writes_it, map(str.strip, named))),
        api_url=read.address("META_API_URL", "Where Meta's WhatsApp is sent to", API_URL),
        app_secret=read.one_or_two_secrets("META_APP_SECRET", "What Meta signs its receipts with"),
        verify_token=read.one_or_two_secrets(
            "META_VERIFY_TOKEN", "What Meta must name when it learns of the webhook"
        ),
    )


def _as_meta_writes_it(language: str) -> str:
    """pt_BR, whichever way it is written; what can't be read stays as it is."""
    if re.fullmatch(_METAS_LANGUAGE, language):
        return language
    return (languages.read(language) or language).replace("-", "_")
