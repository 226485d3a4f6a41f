"""What providers tell of templates, numbers and the account: from their JSON to `ProviderEvent`s.

Pure, and written for whatever may come, as `receipts.py` is. What nobody documented is an event of
the kind OTHER: to be counted, not kept.
"""

from __future__ import annotations

from collections.abc import Iterator

from otp_service.delivery import failure_codes, failure_reasons
from otp_service.delivery.event_reading import event
from otp_service.delivery.parsing import (
    Json,
    as_object,
    as_objects,
    moment,
    objects_in,
    text,
    words,
)
from otp_service.delivery.providers import gupshup_events, meta_events
from otp_service.domain import failures
from otp_service.domain.failures import Outcome
from otp_service.domain.provider_events import Kind, Level, ProviderEvent

_NO_EVENTS = {"message-event", "message", "user-event", "billing-event", ""}
_ENDS_MESSAGES = (Outcome.ACCOUNT, Outcome.CONFIGURATION)


def gupshup(body: object) -> list[ProviderEvent]:
    """Both versions of Gupshup's callbacks; version 3 is Meta's envelope."""
    callback = as_object(body)
    if "entry" in callback:
        return list(_envelope("gupshup", callback))
    kind = words(callback.get("type"))
    if kind in _NO_EVENTS:
        return []
    owner, at = text(callback.get("app")), moment(callback.get("timestamp"))
    found = gupshup_events.read(kind, as_object(callback.get("payload")), owner)
    return [event(found, "gupshup", at)]


def meta(body: object) -> list[ProviderEvent]:
    """The Cloud API's webhook: every field but ``messages``, and of that the app's errors."""
    return list(_envelope("meta", as_object(body)))


def _envelope(provider: str, facts: Json) -> Iterator[ProviderEvent]:
    for entry in as_objects(facts.get("entry")):
        at = moment(entry.get("time"))
        account = text(entry.get("id"))
        for change in as_objects(entry.get("changes")):
            field, value = words(change.get("field")), as_object(change.get("value"))
            if field == "messages":
                yield from _errors(provider, value, account)
            elif field.endswith("-event"):  # Gupshup's own, in version 3
                found = gupshup_events.read(field, value, text(facts.get("gs_app_id")))
                yield event(found, provider, at)
            elif field:
                yield event(meta_events.read(field, value, account), provider, at)


def _errors(provider: str, value: Json, account: str) -> Iterator[ProviderEvent]:
    """What went wrong with the app itself, and with no message of its own."""
    number = text(as_object(value.get("metadata")).get("phone_number_id"))
    for facts in objects_in(value.get("errors")):
        said = failure_reasons.of(facts)
        known = failure_codes.meaning(failure_codes.WHATSAPP, said.code, said.words, said.subcode)
        failure = known or failures.REFUSED
        level = Level.TROUBLE if failure.outcome in _ENDS_MESSAGES else Level.RISK
        yield event(
            {
                "kind": Kind.ACCOUNT,
                "topic": "errors",
                "state": failure.code,
                "level": level,
                "name": account,
                "ref": said.code,
                "owner": number,
                "detail": ": ".join(filter(None, [said.code, said.words])),
            },
            provider,
            None,
        )
