"""SMS through Gupshup's enterprise API (docs.gupshup.io/docs/send-message-to-single-number).

Another account than WhatsApp's, with a user and a password. It answers 200 even when it refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import requests

from otp_service.delivery import failure_codes, failure_reasons, parsing
from otp_service.delivery.failure_reasons import Trouble
from otp_service.delivery.parsing import digits
from otp_service.delivery.sender import Provider, ProviderAnswer, masked, masked_url
from otp_service.domain.messages import Message
from otp_service.domain.verification import Channel

API_URL = "https://enterprise.smsgupshup.com/GatewayAPI/rest"
TEXT = "{code} is your verification code."
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà\f^{}\\[~]|€"
)  # 3GPP TS 23.038, with the extension table


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


def text_for(settings: SmsSettings, message: Message) -> str:
    """What the person reads; ``{minutes}`` are whole ones, rounded down."""
    minutes = str(max(1, message.expires_in // 60))
    return settings.text.replace("{minutes}", minutes).replace("{code}", message.code)


def build_request(settings: SmsSettings, message: Message) -> requests.Request:
    """The request that sends ``message``, not yet encoded; needs no complete settings."""
    text = text_for(settings, message)
    form = {
        "method": "SendMessage",
        "send_to": digits(message.phone),
        "msg": text,
        "msg_type": "TEXT" if text.isascii() or _GSM.issuperset(text) else "Unicode_text",
        "userid": settings.user_id,
        "auth_scheme": "plain",
        "password": settings.password,
        "v": "1.1",
        "format": "json",
        "principalEntityId": settings.principal_entity_id,
        "dltTemplateId": settings.dlt_template_id,
        "mask": settings.mask,
    }
    return requests.Request(
        "POST",  # never GET: a password in a URL ends up in logs
        settings.api_url,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        data={name: value for name, value in form.items() if value},
    )


def preview(settings: SmsSettings, message: Message) -> dict[str, object]:
    """The exact request, with the password masked. It shows the code: for debug pages only."""
    request = build_request(settings, message)
    form = {**request.data, "password": masked(settings.password)}
    headers = dict(request.headers)
    return {
        "method": request.method,
        "url": masked_url(request.url),
        "headers": headers,
        "form": form,
    }


def describe(settings: SmsSettings) -> dict[str, object]:
    """The settings as a debug page may show them: the password is masked."""
    shown = {name: value for name, value in vars(settings).items() if name != "password"}
    return {
        "provider": GupshupSms.name,
        **shown,
        "api_url": masked_url(settings.api_url),
        "password": masked(settings.password),
        "missing": settings.missing,
    }


class GupshupSms(Provider):
    name = "gupshup-sms"
    channel = Channel.SMS
    family = failure_codes.SMS
    unusable = "GUPSHUP_SMS_API_URL"

    def __init__(self, settings: SmsSettings) -> None:
        self._settings = settings

    @property
    def missing(self) -> list[str]:
        return self._settings.missing

    @property
    def secrets(self) -> list[str]:
        return [self._settings.password]

    def request(self, message: Message) -> requests.Request:
        return build_request(self._settings, message)

    def read(self, body: bytes) -> ProviderAnswer:
        answer = parsing.as_object(parsing.json_object(body).get("response")) or _from_text(body)
        refused = parsing.words(answer.get("status")).lower() in failure_codes.REFUSING
        number = parsing.text(answer.get("id"))  # a refusal has its code there
        return ProviderAnswer(
            message_id=parsing.message_id(number),
            refused=refused,
            trouble=lambda: _trouble(answer, number if refused else "", body),
        )


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
