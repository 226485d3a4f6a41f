"""WhatsApp through Meta's Cloud API
(developers.facebook.com/docs/whatsapp/business-management-api/authentication-templates).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial

import requests

from otp_service.delivery import accounts, failure_codes, failure_reasons, parsing, provider_events
from otp_service.delivery.parsing import digits
from otp_service.delivery.provider import (
    LOST,
    Provider,
    ProviderAnswer,
    masked,
    masked_url,
    previewed,
)
from otp_service.delivery.providers import meta_receipts
from otp_service.delivery.providers.meta_settings import MetaSettings, read_settings
from otp_service.domain import languages
from otp_service.domain.callbacks import Body, Callback, Handshake, Signature, alternatives
from otp_service.domain.languages import pick
from otp_service.domain.messages import Message
from otp_service.domain.provider_events import Kind, ProviderEvent
from otp_service.domain.verification import Channel
from otp_service.environment import Reader

PATH = "/webhooks/meta"
_SECRETS = ("access_token", "app_secret", "verify_token")


class Meta(Provider):
    name = "meta"
    title = "Meta"
    channel = Channel.WHATSAPP
    family = failure_codes.WHATSAPP
    prefix = "META_"
    own = "ACCESS_TOKEN PHONE_NUMBER_ID TEMPLATE TEMPLATE_LANGUAGES APP_SECRET VERIFY_TOKEN API_URL"
    unusable = "META_API_URL, META_PHONE_NUMBER_ID or META_ACCESS_TOKEN"

    settings: MetaSettings

    @classmethod
    def from_env(cls, read: Reader) -> Meta:
        provider = cls(read_settings(read))
        accounts.check(read, provider)
        number = provider.settings.phone_number_id
        if not (accounts.is_unfilled(number) or re.fullmatch(r"[0-9]+", number)):
            problem = "META_PHONE_NUMBER_ID must be Meta's id of the number, digits only"
            read.problems.append(problem)
        if not all(map(languages.read, provider.settings.languages)):
            read.problems.append("META_TEMPLATE_LANGUAGES must be languages, separated by commas")
        return provider

    @property
    def secrets(self) -> list[str]:
        return [self.settings.access_token]

    @property
    def warnings(self) -> Iterable[str]:
        unset = [name for name in _SECRETS[1:] if not getattr(self.settings, name)]
        return [f"META_{name.upper()} is not set: Meta's {LOST}" for name in unset]

    @property
    def callbacks(self) -> Sequence[Callback | Handshake]:
        is_authentic = partial(meta_receipts.is_authentic, app_secret=self.settings.app_secret)
        handshake = Handshake(
            path=PATH,
            name="meta_handshake",
            description=_HANDSHAKE,
            verify_token=self.settings.verify_token,
        )
        event = Callback(
            path=PATH,
            name="meta_event",
            description=_EVENT,
            authentication=Signature("X-Hub-Signature-256", is_authentic),
            body=Body.JSON,
            read=meta_receipts.read,
            read_events=provider_events.meta,
            example={"entry": []},
        )
        return handshake, event

    def request(self, message: Message) -> requests.Request:
        code = [{"type": "text", "text": message.code}]
        offered = self.settings.languages
        template = {
            "name": self.settings.template,
            "language": {"code": pick(offered, message.locale) or offered[0]},
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
        url = f"{self.settings.api_url.rstrip('/')}/{self.settings.phone_number_id}/messages"
        bearer = f"Bearer {self.settings.access_token}"
        headers = {"Authorization": bearer, "Content-Type": "application/json"}
        return requests.Request("POST", url, headers=headers, json=body)

    def read(self, body: bytes) -> ProviderAnswer:
        answer = parsing.json_object(body)
        messages = parsing.as_objects(answer.get("messages"))
        return ProviderAnswer(
            message_id=parsing.message_id(messages[0].get("id")) if messages else None,
            refused="error" in answer,
            trouble=lambda: failure_reasons.of_answer(answer, body),
        )

    def describe(self) -> dict[str, object]:
        settings = self.settings
        secret = {name: _masked(getattr(settings, name)) for name in _SECRETS}
        shown = {**vars(settings), "languages": list(settings.languages), **secret}
        shown["api_url"] = masked_url(settings.api_url)
        return {"provider": self.name, **shown, "missing": settings.missing}

    def preview(self, message: Message) -> dict[str, object]:
        request = self.request(message)
        bearer = f"Bearer {masked(self.settings.access_token)}"
        headers = {**request.headers, "Authorization": bearer}
        return previewed(request, headers=headers, json=request.json)

    def is_ours(self, event: ProviderEvent) -> bool | None:
        settings = self.settings
        if event.kind is Kind.TEMPLATE and event.name:
            offered = {_plain(language) for language in settings.languages}
            has_language = not event.language or _plain(event.language) in offered
            return event.name == settings.template and has_language
        if event.owner:
            return event.owner == settings.phone_number_id
        return None


def _masked(secret: str) -> str:
    return " | ".join(map(masked, alternatives(secret)))


def _plain(language: str) -> str:
    return language.lower().replace("-", "_")


_HANDSHAKE = """Answer Meta's challenge.

Meta asks, once, whether this address is ours.
"""
_EVENT = """Take a batch of Meta's status events.

Signed over its very bytes. What is no receipt of a message is left out.
"""
