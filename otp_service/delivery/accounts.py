"""How each provider's account is read: all of its variables, or none."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Protocol

from otp_service.delivery.providers import gupshup as gupshup_api
from otp_service.delivery.providers import gupshup_sms as sms_api
from otp_service.delivery.providers import meta as meta_api
from otp_service.delivery.providers.gupshup import GupshupSettings
from otp_service.delivery.providers.gupshup_sms import SmsSettings
from otp_service.delivery.providers.meta import MetaSettings
from otp_service.domain import languages
from otp_service.environment import Reader, is_placeholder

_METAS_LANGUAGE = r"[a-z]{2,3}(_[A-Z]{2})?"
_VARIABLES = {
    "GUPSHUP_": "API_KEY SOURCE TEMPLATE_ID SRC_NAME TEMPLATES API_URL",
    "GUPSHUP_SMS_": "USERID PASSWORD TEXT PRINCIPAL_ENTITY_ID DLT_TEMPLATE_ID MASK API_URL",
    "META_": (
        "ACCESS_TOKEN PHONE_NUMBER_ID TEMPLATE TEMPLATE_LANGUAGES APP_SECRET VERIFY_TOKEN API_URL"
    ),
}
"""Each of them is of use to its account only, so that whoever sets one means to have it."""


class Account(Protocol):
    """``missing`` names the variables without which it can't be used."""

    @property
    def api_url(self) -> str: ...

    @property
    def missing(self) -> list[str]: ...


def gupshup(read: Reader) -> GupshupSettings:
    settings = GupshupSettings(
        api_key=read.secret("GUPSHUP_API_KEY", "The WhatsApp account's key at Gupshup"),
        source=read.text("GUPSHUP_SOURCE", "The number that messages come from"),
        template_id=read.text("GUPSHUP_TEMPLATE_ID", "The template's id at Gupshup"),
        src_name=read.text("GUPSHUP_SRC_NAME", "The app's name at Gupshup"),
        api_url=read.address("GUPSHUP_API_URL", "Where WhatsApp is sent to", gupshup_api.API_URL),
        param_count=read.number(
            "GUPSHUP_OTP_PARAM_COUNT", "How often the template takes the code", 1, 1, 4
        ),
        templates=_templates(read),
    )
    _check(read, settings, "GUPSHUP_")
    if not (_is_unfilled(settings.source) or re.fullmatch(r"\+?[0-9]{5,15}", settings.source)):
        read.problems.append("GUPSHUP_SOURCE must be the sender's number, digits only")
    return settings


def sms(read: Reader) -> SmsSettings:
    settings = SmsSettings(
        user_id=read.text("GUPSHUP_SMS_USERID", "The enterprise account's user"),
        password=read.secret("GUPSHUP_SMS_PASSWORD", "The enterprise account's password"),
        text=read.text("GUPSHUP_SMS_TEXT", "What an SMS says", sms_api.TEXT),
        principal_entity_id=read.text(
            "GUPSHUP_SMS_PRINCIPAL_ENTITY_ID", "The sender as registered in India (DLT)"
        ),
        dlt_template_id=read.text(
            "GUPSHUP_SMS_DLT_TEMPLATE_ID", "The text as registered in India (DLT)"
        ),
        mask=read.text("GUPSHUP_SMS_MASK", "The six letters that an SMS shows in India (DLT)"),
        api_url=read.address("GUPSHUP_SMS_API_URL", "Where SMS is sent to", sms_api.API_URL),
    )
    _check(read, settings, "GUPSHUP_SMS_")
    if set(re.findall(r"\{.*?\}|[{}]", settings.text)) - {"{minutes}"} != {"{code}"}:
        read.problems.append("GUPSHUP_SMS_TEXT must contain {code}; {minutes} may be in it, too")
    return settings


def meta(read: Reader) -> MetaSettings:
    named = read.text(
        "META_TEMPLATE_LANGUAGES", "The template's languages, the default first", "en_US"
    ).split(",")
    settings = MetaSettings(
        access_token=read.secret("META_ACCESS_TOKEN", "The WhatsApp account's token at Meta"),
        phone_number_id=read.text("META_PHONE_NUMBER_ID", "Meta's id of the sender's number"),
        template=read.text("META_TEMPLATE", "The template's name at Meta"),
        languages=tuple(map(_as_meta_writes_it, map(str.strip, named))),
        api_url=read.address("META_API_URL", "Where Meta's WhatsApp is sent to", meta_api.API_URL),
        app_secret=read.secret("META_APP_SECRET", "What Meta signs its receipts with"),
        verify_token=read.secret(
            "META_VERIFY_TOKEN", "What Meta must name when it learns of the webhook"
        ),
    )
    _check(read, settings, "META_")
    number = settings.phone_number_id
    if not (_is_unfilled(number) or re.fullmatch(r"[0-9]+", number)):
        read.problems.append("META_PHONE_NUMBER_ID must be Meta's id of the number, digits only")
    if not all(map(languages.read, settings.languages)):
        read.problems.append("META_TEMPLATE_LANGUAGES must be languages, separated by commas")
    return settings


def _as_meta_writes_it(language: str) -> str:
    """pt_BR, whichever way it is written; what can't be read stays as it is."""
    if re.fullmatch(_METAS_LANGUAGE, language):
        return language
    return (languages.read(language) or language).replace("-", "_")


def chosen(read: Reader, *prefixes: str) -> dict[str, str]:
    """What is set of the accounts with these prefixes (of all without one): a half, maybe."""
    names = [
        f"{each}{name}" for each in prefixes or _VARIABLES for name in _VARIABLES[each].split()
    ]
    return {name: value for name in names if (value := read.given(name))}


def _is_unfilled(value: str) -> bool:
    """Whether `_check` tells of it, if anybody has to."""
    return not value or is_placeholder(value)


def _check(read: Reader, account: Account, prefix: str) -> None:
    values = chosen(read, prefix)
    if values:
        read.problems += [
            f"{name} is missing: set it, or unset {', '.join(values)}" for name in account.missing
        ]
    for name, value in values.items():
        if is_placeholder(value):
            read.problems.append(f"{name} still holds the example's placeholder")
    if not re.fullmatch(r"https?://[^\s/]+\S*", account.api_url):
        read.problems.append(f"{prefix}API_URL must be an http or https URL")
    elif account.api_url.startswith("http://") and not account.missing:
        read.warnings.append(f"{prefix}API_URL is not https: keys and codes travel in clear text")


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
