"""WhatsApp through Gupshup's template API (docs.gupshup.io/docs/template-messages)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import requests

from otp_service.delivery import failure_codes, failure_reasons, parsing
from otp_service.delivery.parsing import digits
from otp_service.delivery.sender import Provider, ProviderAnswer, masked, masked_url
from otp_service.domain.languages import pick
from otp_service.domain.messages import Message
from otp_service.domain.verification import Channel

API_URL = "https://api.gupshup.io/wa/api/v1/template/msg"


@dataclass(frozen=True)
class GupshupSettings:
    """The ``GUPSHUP_*`` variables. ``param_count``: how often the template takes the code.

    A template with a copy-code button takes it twice: for the text and for the button. At
    Gupshup each language has a template of its own: ``templates`` maps BCP 47 tags to ids.
    """

    api_key: str = field(default="", repr=False)
    source: str = ""
    template_id: str = ""
    src_name: str = ""
    api_url: str = API_URL
    param_count: int = 1
    templates: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> list[str]:
        """Names of the environment variables without which nothing can be sent."""
        names = ("api_key", "source", "template_id", "src_name")
        return [f"GUPSHUP_{name.upper()}" for name in names if not getattr(self, name).strip()]

    def template_for(self, locale: str | None) -> str:
        """The id of the template in this language, or of the default one."""
        return self.templates.get(pick(self.templates, locale) or "", self.template_id)


def build_request(settings: GupshupSettings, message: Message) -> requests.Request:
    """The request that sends ``message``, not yet encoded; needs no complete settings."""
    template_id = settings.template_for(message.locale)
    template = {"id": template_id, "params": [message.code] * settings.param_count}
    form = {
        "channel": "whatsapp",
        "source": digits(settings.source),
        "src.name": settings.src_name,
        "destination": digits(message.phone),
        "template": json.dumps(template),
    }
    kind = "application/x-www-form-urlencoded"
    headers = {"apikey": settings.api_key, "Content-Type": kind}
    return requests.Request("POST", settings.api_url, headers=headers, data=form)


def preview(settings: GupshupSettings, message: Message) -> dict[str, object]:
    """The exact request, with the key masked. It shows the code: for debug pages only."""
    request = build_request(settings, message)
    headers = {**request.headers, "apikey": masked(settings.api_key)}
    return {
        "method": request.method,
        "url": masked_url(request.url),
        "headers": headers,
        "form": request.data,
    }


def describe(settings: GupshupSettings) -> dict[str, object]:
    """The settings as a debug page may show them: the key is masked to its last 4 characters."""
    return {
        "provider": Gupshup.name,
        "api_url": masked_url(settings.api_url),
        "api_key": masked(settings.api_key),
        "source": settings.source,
        "template_id": settings.template_id,
        "templates": dict(settings.templates),
        "src_name": settings.src_name,
        "param_count": settings.param_count,
        "missing": settings.missing,
    }


class Gupshup(Provider):
    name = "gupshup"
    channel = Channel.WHATSAPP
    family = failure_codes.WHATSAPP
    unusable = "GUPSHUP_API_URL or GUPSHUP_API_KEY"

    def __init__(self, settings: GupshupSettings) -> None:
        self._settings = settings

    @property
    def missing(self) -> list[str]:
        return self._settings.missing

    @property
    def secrets(self) -> list[str]:
        return [self._settings.api_key]

    def request(self, message: Message) -> requests.Request:
        return build_request(self._settings, message)

    def read(self, body: bytes) -> ProviderAnswer:
        answer = parsing.json_object(body)
        status = parsing.words(answer.get("status")).lower()
        return ProviderAnswer(
            message_id=parsing.message_id(answer.get("messageId")),
            refused=status in failure_codes.REFUSING or bool(answer.get("error")),
            trouble=lambda: failure_reasons.of_answer(answer, body),
        )
