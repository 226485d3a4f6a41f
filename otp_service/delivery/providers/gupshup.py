"""WhatsApp through Gupshup's template API (docs.gupshup.io/docs/template-messages)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

import requests

from otp_service.delivery import accounts, failure_codes, failure_reasons, parsing
from otp_service.delivery.parsing import digits
from otp_service.delivery.provider import (
    LOST,
    Provider,
    ProviderAnswer,
    masked,
    masked_url,
    previewed,
)
from otp_service.delivery.providers import gupshup_callbacks
from otp_service.delivery.providers.gupshup_settings import (
    HOW_TO_MAKE_ONE,
    GupshupSettings,
    read_settings,
)
from otp_service.domain.callbacks import Callback
from otp_service.domain.languages import pick
from otp_service.domain.messages import Message
from otp_service.domain.provider_events import Kind, ProviderEvent
from otp_service.domain.verification import Channel
from otp_service.environment import Reader

WITHOUT_SECRET = f"GUPSHUP_WEBHOOK_SECRET is not set: {LOST}; {HOW_TO_MAKE_ONE}"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Gupshup(Provider):
    name = "gupshup"
    title = "Gupshup"
    channel = Channel.WHATSAPP
    family = failure_codes.WHATSAPP
    prefix = "GUPSHUP_"
    own = "API_KEY SOURCE TEMPLATE_ID SRC_NAME TEMPLATES API_URL"
    unusable = "GUPSHUP_API_URL or GUPSHUP_API_KEY"

    settings: GupshupSettings

    @classmethod
    def from_env(cls, read: Reader) -> Gupshup:
        provider = cls(read_settings(read))
        accounts.check(read, provider)
        source = provider.settings.source
        if not (accounts.is_unfilled(source) or re.fullmatch(r"\+?[0-9]{5,15}", source)):
            read.problems.append("GUPSHUP_SOURCE must be the sender's number, digits only")
        return provider

    @property
    def secrets(self) -> list[str]:
        return [self.settings.api_key]

    @property
    def warnings(self) -> Iterable[str]:
        return [] if self.settings.webhook_secret else [WITHOUT_SECRET]

    @property
    def callbacks(self) -> Sequence[Callback]:
        """Those of SMS, too: they have the same secret."""
        return gupshup_callbacks.callbacks(self.settings)

    def template_for(self, locale: str | None) -> str:
        """The id of the template in this language, or of the default one."""
        templates = self.settings.templates
        return templates.get(pick(templates, locale) or "", self.settings.template_id)

    def request(self, message: Message) -> requests.Request:
        template_id = self.template_for(message.locale)
        template = {"id": template_id, "params": [message.code] * self.settings.param_count}
        form = {
            "channel": "whatsapp",
            "source": digits(self.settings.source),
            "src.name": self.settings.src_name,
            "destination": digits(message.phone),
            "template": json.dumps(template),
        }
        kind = "application/x-www-form-urlencoded"
        headers = {"apikey": self.settings.api_key, "Content-Type": kind}
        return requests.Request("POST", self.settings.api_url, headers=headers, data=form)

    def read(self, body: bytes) -> ProviderAnswer:
        answer = parsing.json_object(body)
        status = parsing.words(answer.get("status")).lower()
        return ProviderAnswer(
            message_id=parsing.message_id(answer.get("messageId")),
            refused=status in failure_codes.REFUSING or bool(answer.get("error")),
            trouble=lambda: failure_reasons.of_answer(answer, body),
        )

    def describe(self) -> dict[str, object]:
        settings = self.settings
        return {
            "provider": self.name,
            "api_url": masked_url(settings.api_url),
            "api_key": masked(settings.api_key),
            "source": settings.source,
            "template_id": settings.template_id,
            "templates": dict(settings.templates),
            "src_name": settings.src_name,
            "param_count": settings.param_count,
            "missing": settings.missing,
        }

    def preview(self, message: Message) -> dict[str, object]:
        request = self.request(message)
        headers = {**request.headers, "apikey": masked(self.settings.api_key)}
        return previewed(request, headers=headers, form=request.data)

    def is_ours(self, event: ProviderEvent) -> bool | None:
        if self._is_of_other_app(event.owner):
            return False
        if event.kind is not Kind.TEMPLATE:
            return True if event.owner else None
        if event.ref in (self.settings.template_id, *self.settings.templates.values()):
            return True
        return False if _UUID.fullmatch(event.ref) else None  # else it is Meta's, which nobody set

    def _is_of_other_app(self, owner: str) -> bool:
        """Version 2 names the app, version 3 tells its id."""
        ours = self.settings.app_id if _UUID.fullmatch(owner) else self.settings.src_name
        return bool(owner and ours) and owner.casefold() != ours.casefold()
