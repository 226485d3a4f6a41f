"""Gupshup's callbacks about messages (docs.gupshup.io/docs/what-is-a-webhook)."""

from __future__ import annotations

from otp_service.delivery import failure_codes, failure_reasons
from otp_service.delivery.failure_reasons import Trouble
from otp_service.delivery.parsing import Json, as_object
from otp_service.delivery.receipts import OPAQUE, explained, of_envelope, receipt
from otp_service.domain.messages import Receipt
from otp_service.domain.verification import DeliveryStatus

NAME = "gupshup"


def read(body: object) -> list[Receipt]:
    """Both versions. Version 3 is Meta's envelope with Gupshup's own ids, at the same URL."""
    callback = as_object(body)
    if "entry" in callback:
        return of_envelope(NAME, callback, ("gs_id", "id"))
    if callback.get("type") == "billing-event":
        return _billed(callback)
    return _of_event(callback) if callback.get("type") == "message-event" else []


def _of_event(callback: Json) -> list[Receipt]:
    event = as_object(callback.get("payload"))
    facts = as_object(event.get("payload"))
    # Only ``gsId`` is what the send answered, as soon as WhatsApp has an id of its own; what fails
    # before that has ours in ``id``. They can't be told apart by their looks.
    ids = (event.get("gsId"), event.get("id"))
    times = (facts.get("ts"), event.get("ts"), callback.get("timestamp"))
    # Not documented for version 2, and read wherever it may be.
    opaque = facts.get(OPAQUE) or event.get(OPAQUE)
    pricing = (as_object(event.get("pricing")), as_object(facts.get("pricing")))
    found = receipt(NAME, event.get("type"), ids, times, opaque, *pricing)
    if found is None or found.status is not DeliveryStatus.FAILED:
        return [found] if found else []
    troubles = ((failure_reasons.of(each), each) for each in (facts, event))
    nothing = (Trouble(), facts or event)
    trouble, where = next((each for each in troubles if each[0] != Trouble()), nothing)
    phones = (event.get("destination"), callback.get("phone"))
    return [explained(found, failure_codes.WHATSAPP, trouble, where, *phones)]


def _billed(callback: Json) -> list[Receipt]:
    """A billing event tells the price alone; what is charged for was sent, at least."""
    event = as_object(callback.get("payload"))
    of = as_object(event.get("references"))
    ids, times = (of.get("gsId"), of.get("id")), (callback.get("timestamp"),)
    found = receipt(NAME, "sent", ids, times, None, as_object(event.get("deductions")))
    return [found] if found and found.price else []
