"""The fields of Meta's webhook that tell of templates, numbers and the account
(developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference).
"""

from __future__ import annotations

from collections.abc import Callable

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


def read(field: str, value: Json, account: str) -> Facts:
    """``account`` is the id of the WhatsApp business account."""
    reader = _READERS.get(plain_word(field))
    return reader(value, account) if reader else UNKNOWN


def _template(value: Json, topic: str, state: str, *detail: str) -> Facts:
    return {
        "kind": Kind.TEMPLATE,
        "name": text(value.get("message_template_name")),
        "ref": text(value.get("message_template_id")),
        "language": text(value.get("message_template_language")),
        "topic": topic,
        "state": state,
        "detail": joined(detail),
    }


def _template_status(value: Json, account: str) -> Facts:
    if "new_quality_score" in value:  # the page's own example has it under this field
        return _template_quality(value, account)
    why = [words(as_object(value.get("other_info")).get("description"))]
    why += [words(as_object(value.get("rejection_info")).get("reason")), words(value.get("reason"))]
    return _template(value, "status", state_among(value.get("event")), *why)


def _template_quality(value: Json, account: str) -> Facts:
    return _template(value, "quality", state_among(value.get("new_quality_score")))


def _template_category(value: Json, account: str) -> Facts:
    new = first(value, ("new_category", "correct_category"))
    return _template(value, "category", category_state(new), new)


def _number(value: Json, topic: str, state: str, *detail: str) -> Facts:
    name = text(value.get("display_phone_number"))
    facts = {"kind": Kind.NUMBER, "name": name, "topic": topic, "state": state}
    return facts | {"detail": joined(detail)}


def _number_quality(value: Json, account: str) -> Facts:
    old = text(value.get("old_limit"))
    new = first(value, ("max_daily_conversations_per_business", "current_limit"))
    state = state_among(value.get("event"))
    if state == NOTED:
        state = tier_state(old, new) or NOTED
    return _number(value, "limit", state, old, new)


def _number_name(value: Json, account: str) -> Facts:
    state = state_among(value.get("decision"))
    return _number(value, "name", state, words(value.get("rejection_reason")))


def _security(value: Json, account: str) -> Facts:
    return _number(value, "security", "security", words(value.get("event")))


def _account(account: str, topic: str, state: str, *detail: str) -> Facts:
    facts = {"kind": Kind.ACCOUNT, "name": account, "topic": topic, "state": state}
    return facts | {"detail": joined(detail)}


def _account_update(value: Json, account: str) -> Facts:
    event = words(value.get("event"))
    ban = as_object(value.get("ban_info"))
    state = state_among(ban.get("waba_ban_state"), event)
    detail = [
        words(as_object(value.get("violation_info")).get("violation_type")),
        restrictions(value.get("restriction_info")),
        text(ban.get("waba_ban_state")),
        text(ban.get("waba_ban_date")),
    ]
    if state == NOTED:  # a country, a pricing tier, a partner: nothing that ends messages
        tier = as_object(value.get("volume_tier_info"))
        facts = (text(tier.get(name)) for name in ("pricing_category", "region"))
        detail = [event, amounts(tier.get("tier")), *facts]
    topic = "status" if state != NOTED else event or "update"
    return _account(account, topic, state, *detail)


def _account_review(value: Json, account: str) -> Facts:
    return _account(account, "review", state_among(value.get("decision")))


def _account_alert(value: Json, account: str) -> Facts:
    alert = {**value, **as_object(value.get("alert_info"))}
    state = state_among(alert.get("alert_severity"))
    detail = [text(alert.get("alert_type")), words(alert.get("alert_description"))]
    return _account(account, "alert", state, *detail) | {"ref": text(alert.get("alert_type"))}


def _capability(value: Json, account: str) -> Facts:
    limits = (f"{name} {text(value[name])}" for name in value if text(value[name]))
    return _account(account, "capability", NOTED, *limits)


_READERS: dict[str, Callable[[Json, str], Facts]] = {
    "message_template_status_update": _template_status,
    "message_template_quality_update": _template_quality,
    "template_category_update": _template_category,
    "phone_number_quality_update": _number_quality,
    "phone_number_name_update": _number_name,
    "security": _security,
    "account_update": _account_update,
    "account_review_update": _account_review,
    "account_alerts": _account_alert,
    "business_capability_update": _capability,
}
