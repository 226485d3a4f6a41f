"""Whether an event is about what this service uses: an account may serve others, too."""

from __future__ import annotations

import re

from otp_service.delivery.providers.gupshup import GupshupSettings
from otp_service.delivery.providers.meta import MetaSettings
from otp_service.domain.provider_events import Kind, ProviderEvent

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_ours(
    event: ProviderEvent, gupshup: GupshupSettings, app_id: str, meta: MetaSettings
) -> bool | None:
    """None if it can't be told; ``app_id`` is Gupshup's, or empty."""
    if event.provider == "meta":
        return _metas(event, meta)
    if _of_other_app(event.owner, gupshup.src_name, app_id):
        return False
    if event.kind is not Kind.TEMPLATE:
        return True if event.owner else None
    if event.ref in (gupshup.template_id, *gupshup.templates.values()):
        return True
    return False if _UUID.fullmatch(event.ref) else None  # else it is Meta's id, which nobody set


def _of_other_app(owner: str, src_name: str, app_id: str) -> bool:
    """Version 2 names the app, version 3 tells its id."""
    ours = app_id if _UUID.fullmatch(owner) else src_name
    return bool(owner and ours) and owner.casefold() != ours.casefold()


def _metas(event: ProviderEvent, settings: MetaSettings) -> bool | None:
    if event.kind is Kind.TEMPLATE and event.name:
        languages = {_plain(language) for language in settings.languages}
        has_language = not event.language or _plain(event.language) in languages
        return event.name == settings.template and has_language
    if event.owner:
        return event.owner == settings.phone_number_id
    return None


def _plain(language: str) -> str:
    return language.lower().replace("-", "_")
