"""SMS through Gupshup's enterprise API (docs.gupshup.io/docs/send-message-to-single-number).

Another account than WhatsApp's, with a user and a password. It answers 200 even when it refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import requests

from otp_service.delivery import accounts, failure_codes, failure_reasons, parsing
from otp_service.delivery.failure_reasons import Trouble
from otp_service.delivery.parsing import digits
from otp_service.delivery.provider import Provider, ProviderAnswer, masked, masked_url, previewed
from otp_service.delivery.providers.gupshup import WITHOUT_SECRET
from otp_service.delivery.providers.gupshup_sms_settings import SmsSettings, read_settings
from otp_service.domain.messages import Message
from otp_service.domain.verification import Channel
from otp_service.environment import Reader

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà\f^{}\\[~]|€"
)  # 3GPP TS 23.038, with the extension table


class GupshupSms(Provider):
    """Its reports come through a webhook with the secret of WhatsApp's: see `Gupshup.callbacks`."""

    name = "gupshup-sms"
    title = "SMS"
    channel = Channel.SMS
    family = failure_codes.SMS
    prefix = "GUPSHUP_SMS_"
    own = "USERID PASSWORD TEXT PRINCIPAL_ENTITY_ID DLT_TEMPLATE_ID MASK API_URL"
    unusable = "GUPSHUP_SMS_API_URL"

    settings: SmsSettings

    def __init__(self, settings: SmsSettings, *, has_webhook: bool = True) -> None:
        super().__init__(settings)
        self._has_webhook = has_webhook

    @classmethod
    def from_env(cls, read: Reader) -> GupshupSms:
        webhook = read.given("GUPSHUP_WEBHOOK_SECRET")
        provider = cls(read_settings(read), has_webhook=bool(webhook))
        accounts.check(read, provider)
        if set(re.findall(r"\{.*?\}|[{}]", provider.settings.text)) - {"{minutes}"} != {"{code}"}:
            read.problems.append(
                "GUPSHUP_SMS_TEXT must contain {code}; {minutes} may be in it, too"
            )
        return provider

    @property
    def secrets(self) -> list[str]:
        return [self.settings.password]

    @property
    def warnings(self) -> Iterable[str]:
        return [] if self._has_webhook else [WITHOUT_SECRET]

    def request(self, message: Message) -> requests.Request:
        text = text_for(self.settings, message)
        form = {
            "method": "SendMessage",
            "send_to": digits(message.phone),
            "msg": text,
            "msg_type": "TEXT" if text.isascii() or _GSM.issuperset(text) else "Unicode_text",
            "userid": self.settings.user_id,
            "auth_scheme": "plain",
            "password": self.settings.password,
            "v": "1.1",
            "format": "json",
            "principalEntityId": self.settings.principal_entity_id,
            "dltTemplateId": self.settings.dlt_template_id,
            "mask": self.settings.mask,
        }
        return requests.Request(
            "POST",  # never GET: a password in a URL ends up in logs
            self.settings.api_url,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            data={name: value for name, value in form.items() if value},
        )

    def read(self, body: bytes) -> ProviderAnswer:
        answer = parsing.as_object(parsing.json_object(body).get("response")) or _from_text(body)
        refused = parsing.words(answer.get("status")).lower() in failure_codes.REFUSING
        number = parsing.text(answer.get("id"))  # a refusal has its code there
        return ProviderAnswer(
            message_id=parsing.message_id(number),
            refused=refused,
            trouble=lambda: _trouble(answer, number if refused else "", body),
        )

    def describe(self) -> dict[str, object]:
        shown = {name: value for name, value in vars(self.settings).items() if name != "password"}
        return {
            "provider": self.name,
            **shown,
            "api_url": masked_url(self.settings.api_url),
            "password": masked(self.settings.password),
            "missing": self.missing,
        }

    def preview(self, message: Message) -> dict[str, object]:
        request = self.request(message)
        return previewed(request, form={**request.data, "password": masked(self.settings.password)})


def text_for(settings: SmsSettings, message: Message) -> str:
    """What the person reads; ``{minutes}`` are whole ones, rounded down."""
    minutes = str(max(1, message.expires_in // 60))
    return settings.text.replace("{minutes}", minutes).replace("{code}", message.code)


def _trouble(answer: Mapping[str, object], number: str, body: bytes) -> Trouble:
    if answer:
        return Trouble(parsing.code(number), words=parsing.words(answer.get("details")))
    return failure_reasons.of_answer(parsing.json_object(body), body)


def _from_text(body: bytes) -> dict[str, object]:
    """The older form: ``success | phone | id`` or ``error | code | text``."""
    status, *rest = (part.strip() for part in body.decode(errors="replace").split("|", 2))
    status = status.lower()
    if status == "success" and len(rest) == 2:
        return {"status": status, "id": rest[1]}
    if status == "error":
        number, words = (*rest, "", "")[:2]
        return {"status": status, "id": number, "details": words}
    return {}
