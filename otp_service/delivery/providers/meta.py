"""WhatsApp through Meta's Cloud API
(developers.facebook.com/docs/whatsapp/business-management-api/authentication-templates).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import requests

from otp_service.delivery import failure_codes, failure_reasons, parsing
from otp_service.delivery.parsing import digits
from otp_service.delivery.sender import Provider, ProviderAnswer, masked, masked_url
from otp_service.domain.languages import pick
from otp_service.domain.messages import Message
from otp_service.domain.verification import Channel

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


def build_request(settings: MetaSettings, message: Message) -> requests.Request:
    """The request that sends ``message``, not yet encoded; needs no complete settings."""
    code = [{"type": "text", "text": message.code}]
    template = {
        "name": settings.template,
        "language": {"code": pick(settings.languages, message.locale) or settings.languages[0]},
        "components": [
            {"type": "body", "parameters": code},
            # "url", although the template's button was created as "otp"
            {"type": "button", "sub_type": "url", "index": "0", "parameters": code},
        ],
    }
    body = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": digits(message.phone),
        "type": "template",
        "template": template,
    }
    if message.delivery_id:  # comes back in each status: see `Receipt`
        body["biz_opaque_callback_data"] = message.delivery_id
    url = f"{settings.api_url.rstrip('/')}/{settings.phone_number_id}/messages"
    bearer = f"Bearer {settings.access_token}"
    headers = {"Authorization": bearer, "Content-Type": "application/json"}
    return requests.Request("POST", url, headers=headers, json=body)


def preview(settings: MetaSettings, message: Message) -> dict[str, object]:
    """The exact request, with the token masked. It shows the code: for debug pages only."""
    request = build_request(settings, message)
    headers = {**request.headers, "Authorization": f"Bearer {masked(settings.access_token)}"}
    return {
        "method": request.method,
        "url": masked_url(request.url),
        "headers": headers,
        "json": request.json,
    }


def describe(settings: MetaSettings) -> dict[str, object]:
    """The settings as a debug page may show them: secrets are masked."""
    secret = {name: masked(getattr(settings, name)) for name in _SECRETS}
    shown = {**vars(settings), "languages": list(settings.languages), **secret}
    shown["api_url"] = masked_url(settings.api_url)
    return {"provider": Meta.name, **shown, "missing": settings.missing}


_SECRETS = ("access_token", "app_secret", "verify_token")


class Meta(Provider):
    name = "meta"
    channel = Channel.WHATSAPP
    family = failure_codes.WHATSAPP
    unusable = "META_API_URL, META_PHONE_NUMBER_ID or META_ACCESS_TOKEN"

    def __init__(self, settings: MetaSettings) -> None:
        self._settings = settings

    @property
    def missing(self) -> list[str]:
        return self._settings.missing

    @property
    def secrets(self) -> list[str]:
        return [self._settings.access_token]

    def request(self, message: Message) -> requests.Request:
        return build_request(self._settings, message)

    def read(self, body: bytes) -> ProviderAnswer:
        answer = parsing.json_object(body)
        messages = parsing.as_objects(answer.get("messages"))
        return ProviderAnswer(
            message_id=parsing.message_id(messages[0].get("id")) if messages else None,
            refused="error" in answer,
            trouble=lambda: failure_reasons.of_answer(answer, body),
        )
