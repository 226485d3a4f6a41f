"""Gupshup's own events (docs.gupshup.io/docs/system-events)."""

from __future__ import annotations

from otp_service.delivery.event_reading import (
    UNKNOWN,
    Facts,
    amounts,
    category_state,
    first,
    joined,
    restrictions,
    state_among,
    tier_state,
)
from otp_service.delivery.event_states import NOTED, plain_word
from otp_service.delivery.parsing import Json, as_object, text, words
from otp_service.domain.provider_events import Kind

_TOPICS = {
    "status": "status",
    "review": "review",
    "tier": "limit",
    "pndn": "name",  # phone number, display name
    "capability": "capability",
    "pricing_tier": "pricing_tier",
}
_OF_NUMBER = ("limit", "name")
_PRICING = ("pricingCategory", "region", "effectiveMonth")
_WHY = ("description", "rejectedReason", "reason", "rejectionReason")


def read(kind: str, facts: Json, app: str) -> Facts:
    """``kind``: template-event or account-event; ``facts``: its payload."""
    if kind == "template-event":
        return _template(facts, app)
    return _account(facts, app) if kind == "account-event" else UNKNOWN


def _template(found: Json, app: str) -> Facts:
    facts = {**found, **as_object(found.get("payload"))}
    subject = {
        "kind": Kind.TEMPLATE,
        "name": text(facts.get("elementName")),
        "ref": text(facts.get("id")),
        "language": text(facts.get("languageCode")),
        "owner": app,
    }
    what = words(found.get("type"))
    quality = first(facts, ("newQuality", "currentQuality", "quality", "qualityScore"))
    if "category" in what:
        return subject | _category(as_object(facts.get("category")))
    if "quality" in what or (quality and not facts.get("status")):
        return subject | {
            "topic": "quality",
            "state": state_among(quality, facts.get("status"), facts.get("event")),
        }
    detail = first(facts, _WHY)
    state = state_among(facts.get("status"), facts.get("event"))
    return subject | {"topic": "status", "state": state, "detail": joined([detail])}


def _category(facts: Json) -> Facts:
    """``correct``: what it will be soon."""
    new = first(facts, ("new", "correct", "current"))
    return {"topic": "category", "state": category_state(new), "detail": joined([new])}


def _account(found: Json, app: str) -> Facts:
    facts = {**found, **as_object(found.get("payload"))}
    what = plain_word(words(found.get("type")))
    what = what.removesuffix("_event").removesuffix("_update").removeprefix("account_")
    topic = _TOPICS.get(what, "status")
    old, new = facts.get("oldTier") or facts.get("oldLimit"), facts.get("currentLimit")
    if facts.get("newTier"):
        old, new = facts.get("currentTier"), facts.get("newTier")
    new = new or facts.get("currentTier")
    said = ("status", "event", "decision")
    state = state_among(*(found.get(name) for name in said), *(facts.get(name) for name in said))
    if state == NOTED:
        state = tier_state(old, new) or state_among(what)
    if state == NOTED and what not in _TOPICS:
        return UNKNOWN
    detail = [restrictions(facts.get("restrictions")), first(facts, _WHY)]
    detail += [text(old), text(new)] if topic == "limit" else []
    detail += [amounts(facts.get("tier")), *(text(facts.get(name)) for name in _PRICING)]
    return {
        "kind": Kind.NUMBER if topic in _OF_NUMBER else Kind.ACCOUNT,
        "topic": topic,
        "state": state,
        "name": text(facts.get("phone")) or app,
        "owner": app,
        "detail": joined(detail),
    }
