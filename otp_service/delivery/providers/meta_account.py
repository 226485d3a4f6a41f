"""What Meta tells of a number's account and its templates (Graph API). Asking costs nothing.

The number's ``health_status`` names the account that it belongs to, so that nobody has to set its
id, and says whether each part would let a message through
(developers.facebook.com/docs/whatsapp/cloud-api/health-status).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from otp_service.delivery import failure_codes, failure_reasons, http
from otp_service.delivery.parsing import as_object, as_objects, json_object, scrub, text, words
from otp_service.delivery.providers.gupshup_templates import (
    Template,
    takes_code,
    whole_number,
    word,
)
from otp_service.delivery.providers.meta_settings import MetaSettings
from otp_service.delivery.refusals import error_of
from otp_service.domain.errors import DeliveryError

_FIELDS = "id,name,status,category,language,quality_score,rejected_reason,components"
_FIELDS += ",message_send_ttl_seconds"


@dataclass(frozen=True)
class Part:
    """One of the number, the account, the business and the app. ``state`` is in lower case:
    available, limited or blocked; ``reason`` and ``advice`` are Meta's words.
    """

    kind: str
    id: str
    state: str
    reason: str = ""
    advice: str = ""


class MetaAccount:
    """Its methods answer a `DeliveryError` if they can't tell."""

    def __init__(self, settings: MetaSettings) -> None:
        self._settings = settings

    def health(self) -> list[Part] | DeliveryError:
        """Of every part that a message passes; empty if Meta does not tell."""
        facts = self._ask(self._settings.phone_number_id, fields="health_status")
        if isinstance(facts, DeliveryError):
            return facts
        return [
            _part(each)
            for each in as_objects(as_object(facts.get("health_status")).get("entities"))
        ]

    def templates(self, account_id: str, name: str = "") -> list[Template] | DeliveryError:
        """Those with this ``name``, one for each language; without it the first of all."""
        asked = {"name": name, "fields": _FIELDS} if name else {"fields": "name,language"}
        facts = self._ask(f"{account_id}/message_templates", **asked, limit="100")
        if isinstance(facts, DeliveryError):
            return facts
        found = [template(each) for each in as_objects(facts.get("data"))]
        return [each for each in found if name in ("", each.name)]  # Meta looks for a part of it

    def _ask(self, path: str, **query: str) -> dict[str, object] | DeliveryError:
        base = self._settings.api_url.rstrip("/")
        url = f"{base}/{quote(path)}?{urlencode(query)}"
        token = self._settings.access_token
        answer = http.get(url, {"Authorization": f"Bearer {token}"})
        if isinstance(answer, DeliveryError):
            return answer
        facts = json_object(answer.body)
        refused = "error" in facts
        if facts and answer.is_success and not refused:
            return facts
        trouble = failure_reasons.of(facts)
        return error_of(answer, trouble, failure_codes.WHATSAPP, token, refused=refused)


def template(facts: dict[str, object]) -> Template:
    """One element of ``message_templates``."""
    made_of = {text(each.get("type")).upper(): each for each in as_objects(facts.get("components"))}
    body = made_of.get("BODY", {})
    buttons = as_objects(made_of.get("BUTTONS", {}).get("buttons"))
    values = len(set(re.findall(r"\{\{.*?\}\}", words(body.get("text"))))) if body else None
    reason = scrub(words(facts.get("rejected_reason")))
    return Template(
        id=word(facts.get("id")),
        name=word(facts.get("name")),
        status=word(facts.get("status")).lower(),
        reason="" if reason.upper() == "NONE" else reason,
        category=word(facts.get("category")).lower(),
        language=word(facts.get("language")),
        quality=word(as_object(facts.get("quality_score")).get("score")).lower(),
        body_values=values,
        takes=None if values is None else values + any(map(takes_code, buttons)),
        lifetime=whole_number(facts, ("message_send_ttl_seconds",)),
        footer_minutes=whole_number(made_of.get("FOOTER", {}), ("code_expiration_minutes",)),
    )


def _part(facts: dict[str, object]) -> Part:
    trouble = next(iter(as_objects(facts.get("errors"))), {})
    notes = facts.get("additional_info")
    note = words(next(iter(notes), "")) if isinstance(notes, list) else ""
    return Part(
        kind=text(facts.get("entity_type")).lower().replace("_", " "),
        id=word(facts.get("id")),
        state=text(facts.get("can_send_message")).lower(),
        reason=scrub(words(trouble.get("error_description")) or note),
        advice=scrub(words(trouble.get("possible_solution"))),
    )
