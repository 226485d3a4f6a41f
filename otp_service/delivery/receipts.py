"""What providers tell later of a message they took: from their JSON to `Receipt`s.

Pure, and written for whatever may come: duplicates, any order, numbers as texts, parts that are
missing. What is no receipt of a message, or can't be read, is left out; nothing is raised.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import replace

from otp_service.delivery import failure_codes, failure_reasons, prices
from otp_service.delivery.failure_codes import FAMILIES, meaning
from otp_service.delivery.failure_reasons import Trouble
from otp_service.delivery.parsing import (
    code,
    delivery_id,
    digits,
    message_id,
    moment,
    part,
    parts,
    text,
    words,
)
from otp_service.delivery.providers import gupshup_sms_receipts
from otp_service.domain import failures
from otp_service.domain.messages import Receipt
from otp_service.domain.verification import DeliveryStatus

Told = Mapping[str, object]
_SMS_CODE = 3  # digits
_SMS_FACTS = ("status", "eventType", "errCode", "errorCode")  # the query has our own secret, too
_OPAQUE = "biz_opaque_callback_data"  # what we gave Meta with the message

_STATUSES = {
    word: status
    for status, told in {
        DeliveryStatus.SENT: "sent",
        DeliveryStatus.DELIVERED: "delivered success",
        DeliveryStatus.READ: "read",
        DeliveryStatus.FAILED: "failed failure",
    }.items()
    for word in told.split()
}


def gupshup(body: object) -> list[Receipt]:
    """Both versions of Gupshup's callbacks (docs.gupshup.io/docs/what-is-a-webhook).

    Version 3 is Meta's envelope with Gupshup's own ids, and comes to the same URL.
    """
    told = part(body)
    if "entry" in told:
        return _envelope("gupshup", told, ("gs_id", "id"))
    if told.get("type") == "billing-event":
        return _billed(told)
    event = part(told.get("payload"))
    facts = part(event.get("payload"))
    receipt = None
    if told.get("type") == "message-event":
        # Only ``gsId`` is what the send answered, as soon as WhatsApp has an id of its own; what
        # fails before that has ours in ``id``. They can't be told apart by their looks.
        ids = (event.get("gsId"), event.get("id"))
        times = (facts.get("ts"), event.get("ts"), told.get("timestamp"))
        # Not documented for version 2, and read wherever it may be.
        opaque = next((each[_OPAQUE] for each in (facts, event) if each.get(_OPAQUE)), None)
        pricing: tuple[Told, ...] = (part(event.get("pricing")), part(facts.get("pricing")))
        receipt = _receipt("gupshup", event.get("type"), ids, times, opaque, *pricing)
    if receipt is None:
        return []
    phones = (event.get("destination"), told.get("phone"))
    told_in = ((failure_reasons.of(each), each) for each in (facts, event))
    nothing = (Trouble(), facts or event)
    trouble, where = next((each for each in told_in if each[0] != Trouble()), nothing)
    return [_explained(receipt, failure_codes.WHATSAPP, trouble, where, *phones)]


def _billed(told: Told) -> list[Receipt]:
    """A billing event tells the price alone; what is charged for was sent, at least."""
    event = part(told.get("payload"))
    of = part(event.get("references"))
    ids, times = (of.get("gsId"), of.get("id")), (told.get("timestamp"),)
    receipt = _receipt("gupshup", "sent", ids, times, None, part(event.get("deductions")))
    return [receipt] if receipt and receipt.price else []


def meta(body: object) -> list[Receipt]:
    """The Cloud API's webhook (developers.facebook.com/docs/whatsapp/cloud-api/webhooks)."""
    return _envelope("meta", part(body), ("id",))


def gupshup_sms(body: object) -> list[Receipt]:
    """Delivery reports (docs.gupshup.io/docs/real-time-delivery-reports).

    ``body``: the query's parameters or a form as a mapping of texts, or a batch as it was posted:
    a list, or a text that may even be JSON.
    """
    receipts = []
    for told in gupshup_sms_receipts.read(body):
        status = told.get("status") or told.get("eventType")
        times = (told.get("deliveredTS"), told.get("eventTs"))
        receipt = _receipt("gupshup-sms", status, (told.get("externalId"),), times)
        if receipt:
            number = text(told.get("errCode")) or text(told.get("errorCode"))
            number = number and number.zfill(3)  # JSON would make 3 of 003
            phones = (told.get("phoneNo"), told.get("destAddr"))
            known = code(number) if len(number) <= _SMS_CODE else ""
            trouble = Trouble(known, words=words(told.get("cause")))
            facts = {name: told[name] for name in _SMS_FACTS if name in told}
            receipts.append(_explained(receipt, failure_codes.SMS_RECEIPT, trouble, facts, *phones))
    return receipts


def authentic_meta(raw_body: bytes, header: str | None, app_secret: str) -> bool:
    """Whether Meta signed these very bytes: ``header`` is its ``X-Hub-Signature-256``."""
    key = app_secret.encode(errors="surrogateescape")
    expected = "sha256=" + hmac.new(key, raw_body, hashlib.sha256).hexdigest()
    told = (header or "").encode(errors="replace")
    return bool(app_secret) and hmac.compare_digest(told, expected.encode())


def _envelope(provider: str, told: Told, id_names: tuple[str, ...]) -> list[Receipt]:
    receipts = []
    for status in _statuses(told):
        ids = tuple(status.get(name) for name in id_names)
        times = (status.get("timestamp"),)
        facts = (status.get(_OPAQUE), part(status.get("pricing")))
        if receipt := _receipt(provider, status.get("status"), ids, times, *facts):
            trouble, phone = failure_reasons.of(status), status.get("recipient_id")
            receipts.append(_explained(receipt, failure_codes.WHATSAPP, trouble, status, phone))
    return receipts


def _statuses(told: Told) -> Iterator[Told]:
    for entry in parts(told.get("entry")):
        for change in parts(entry.get("changes")):
            yield from parts(part(change.get("value")).get("statuses"))


def _receipt(
    provider: str,
    word: object,
    ids: tuple[object, ...],
    times: tuple[object, ...],
    opaque: object = None,
    *pricing: Told,
) -> Receipt | None:
    status = _STATUSES.get(words(word).lower())
    found = next(filter(None, (message_id(text(told)) for told in ids)), None)
    if status is None or found is None:
        return None
    at = next(filter(None, map(moment, times)), None)
    return Receipt(
        provider, found, status, at, delivery_id=delivery_id(opaque), price=prices.read(*pricing)
    )


def _explained(
    receipt: Receipt, family: str, trouble: Trouble, body: Told, *phones: object
) -> Receipt:
    """With the reason, if it failed. A code that nobody documented is told in the reason."""
    if receipt.status is not DeliveryStatus.FAILED:
        return receipt
    failure = meaning(family, trouble.code, trouble.words, trouble.subcode) or failures.REFUSED
    secrets = [found for phone in phones if len(found := digits(text(phone))) > 4]
    told = failure_reasons.reason_of(
        trouble, body, *secrets, known=trouble.code in FAMILIES[family]
    )
    return replace(receipt, failure=failure, reason=told)
