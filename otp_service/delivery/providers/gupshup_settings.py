"""Gupshup's account for WhatsApp, and its webhook."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from otp_service.domain import languages
from otp_service.domain.callbacks import Network, alternatives
from otp_service.environment import Reader, is_placeholder

HOW_TO_MAKE_ONE = 'make one with: python3 -c "import secrets; print(secrets.token_urlsafe(24))"'
API_URL = "https://api.gupshup.io/wa/api/v1/template/msg"


@dataclass(frozen=True)
class GupshupSettings:
    """The ``GUPSHUP_*`` variables. ``param_count``: how often the template takes the code.

    A template with a copy-code button takes it twice: for the text and for the button. At
    Gupshup each language has a template of its own: ``templates`` maps BCP 47 tags to ids. The
    webhook's secret and networks are those of SMS, too; ``app_id`` is for `otp check`.
    """

    api_key: str = field(default="", repr=False)
    source: str = ""
    template_id: str = ""
    src_name: str = ""
    api_url: str = API_URL
    param_count: int = 1
    templates: Mapping[str, str] = field(default_factory=dict)
    webhook_secret: str = field(default="", repr=False)
    webhook_networks: tuple[Network, ...] = ()
    app_id: str = ""

    @property
    def missing(self) -> list[str]:
        """Names of the environment variables without which nothing can be sent."""
        names = ("api_key", "source", "template_id", "src_name")
        return [f"GUPSHUP_{name.upper()}" for name in names if not getattr(self, name).strip()]


def read_settings(read: Reader) -> GupshupSettings:
    return GupshupSettings(
        api_key=read.secret("GUPSHUP_API_KEY", "The WhatsApp account's key at Gupshup"),
        source=read.text("GUPSHUP_SOURCE", "The number that messages come from"),
        template_id=read.text("GUPSHUP_TEMPLATE_ID", "The template's id at Gupshup"),
        src_name=read.text("GUPSHUP_SRC_NAME", "The app's name at Gupshup"),
        api_url=read.address("GUPSHUP_API_URL", "Where WhatsApp is sent to", API_URL),
        param_count=read.number(
            "GUPSHUP_OTP_PARAM_COUNT", "How often the template takes the code", 1, 1, 4
        ),
        templates=_templates(read),
        webhook_secret=_webhook_secret(read),
        webhook_networks=read.networks(
            "GUPSHUP_WEBHOOK_IPS", "Addresses and networks that may send Gupshup's receipts"
        ),
        app_id=read.text("GUPSHUP_APP_ID", "The app's id at Gupshup, for otp check"),
    )


def _webhook_secret(read: Reader) -> str:
    secret = read.one_or_two_secrets(
        "GUPSHUP_WEBHOOK_SECRET", "What Gupshup's receipts must bring along"
    )
    parts = alternatives(secret)
    if any(map(is_placeholder, parts)):
        read.problems.append("GUPSHUP_WEBHOOK_SECRET still holds the example's placeholder")
    elif any(len(part) < 16 for part in parts):
        read.warnings.append(
            f"GUPSHUP_WEBHOOK_SECRET is short, so it is easier to guess: {HOW_TO_MAKE_ONE}"
        )
    return secret


def _templates(read: Reader) -> dict[str, str]:
    """Template ids by language: ``en=ID,pt-BR=ID``, or a JSON object."""
    templates = _pairs(read.text("GUPSHUP_TEMPLATES", "Template ids by language: en=ID,pt-BR=ID"))
    for language, template_id in templates.items():
        if not languages.read(language) or not re.fullmatch(r"\S+", str(template_id)):
            read.problems.append("GUPSHUP_TEMPLATES must be LANGUAGE=TEMPLATE_ID, with commas")
            return {}
    return templates


def _pairs(text: str) -> dict[str, str]:
    if text.startswith("{"):
        with suppress(ValueError):
            return dict(json.loads(text))
    entries = filter(None, map(str.strip, text.split(",")))
    parts = (re.split(r"\s*[=:]\s*", entry, maxsplit=1) for entry in entries)
    return {language: "".join(template_id) for language, *template_id in parts}
