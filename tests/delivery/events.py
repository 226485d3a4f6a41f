"""What providers post of templates, numbers and the account, and the one event that is in it."""

from __future__ import annotations

from typing import Any

from otp_service.delivery import provider_events
from otp_service.domain.provider_events import ProviderEvent

ID = "4dacef15-6c04-12db-b393-6190ac567eff"
OTHER_ID = "00000000-6c04-12db-b393-6190ac567eff"


def template(**facts: object) -> dict[str, Any]:
    """Gupshup's event, in version 2."""
    about = {"id": ID, "elementName": "otp_login", "languageCode": "en_US"}
    outside = {"app": "DemoApp", "timestamp": 1636986446609, "version": 2}
    return outside | {"type": "template-event", "payload": about | facts}


def account(kind: str, **facts: object) -> dict[str, Any]:
    return template() | {"type": "account-event", "payload": {"type": kind, "payload": facts}}


def change(field: str, **value: object) -> dict[str, Any]:
    """Meta's webhook."""
    changes = [{"field": field, "value": value}]
    entry = [{"id": "102290129340398", "time": 1739321024, "changes": changes}]
    return {"object": "whatsapp_business_account", "entry": entry}


def of_template(field: str, **value: object) -> dict[str, Any]:
    about = {"message_template_name": "otp_login", "message_template_id": 1689556908129832}
    return change(field, **about, message_template_language="en-US", **value)


def read(body: dict[str, Any]) -> ProviderEvent:
    of = provider_events.meta if "entry" in body else provider_events.gupshup
    (event,) = of(body)
    return event
