"""What providers tell later of a message they took: what the readers of all of them share.

Pure, and written for whatever may come: duplicates, any order, numbers as texts, parts that are
missing. What is no receipt of a message, or can't be read, is left out; nothing is raised.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from otp_service.delivery import failure_codes, failure_reasons, parsing, prices
from otp_service.delivery.failure_codes import FAMILIES, meaning
from otp_service.delivery.failure_reasons import Trouble
from otp_service.delivery.parsing import Json, as_object, as_objects
from otp_service.domain import failures
from otp_service.domain.messages import Receipt
from otp_service.domain.verification import DeliveryStatus

OPAQUE = "biz_opaque_callback_data"  # what we gave Meta with the message

_STATUSES = {
    word: status
    for status, names in {
        DeliveryStatus.SENT: "sent",
        DeliveryStatus.DELIVERED: "delivered success",
        DeliveryStatus.READ: "read",
        DeliveryStatus.FAILED: "failed failure",
    }.items()
    for word in names.split()
}


def receipt(
    provider: str,
    word: object,
    ids: tuple[object, ...],
    times: tuple[object, ...],
    opaque: object = None,
    *pricing: Json,
) -> Receipt | None:
    """Of a message that the first of ``ids`` names which can be one; None if there is none, or if
    ``word`` is no status.
    """
    status = _STATUSES.get(parsing.words(word).lower())
    message_id = parsing.first_id(ids) if status else None
    if status is None or message_id is None:
        return None
    return Receipt(
        provider,
        message_id,
        status,
        at=parsing.first_moment(times),
        delivery_id=parsing.delivery_id(opaque),
        price=prices.read(*filter(None, pricing)) if any(pricing) else None,
    )


def explained(
    receipt: Receipt, family: str, trouble: Trouble, body: Json, *phones: object
) -> Receipt:
    """A failed one with its reason. A code that nobody documented is told in the reason."""
    failure = meaning(family, trouble.code, trouble.words, trouble.subcode) or failures.REFUSED
    numbers = (parsing.digits(parsing.text(phone)) for phone in phones)
    secrets = [number for number in numbers if len(number) > 4]
    in_list = trouble.code in FAMILIES[family]
    reason = failure_reasons.reason_of(trouble, body, *secrets, known=in_list)
    return replace(receipt, failure=failure, reason=reason)


def of_envelope(provider: str, body: Json, id_names: tuple[str, ...]) -> list[Receipt]:
    """Those of Meta's envelope, which version 3 of Gupshup's callbacks has, too."""
    found = []
    for status in _statuses(body):
        ids = tuple(status.get(name) for name in id_names)
        times = (status.get("timestamp"),)
        facts = (status.get(OPAQUE), as_object(status.get("pricing")))
        if one := receipt(provider, status.get("status"), ids, times, *facts):
            if one.status is DeliveryStatus.FAILED:
                trouble, phone = failure_reasons.of(status), status.get("recipient_id")
                one = explained(one, failure_codes.WHATSAPP, trouble, status, phone)
            found.append(one)
    return found


def _statuses(body: Json) -> Iterator[Json]:
    for entry in as_objects(body.get("entry")):
        for change in as_objects(entry.get("changes")):
            yield from as_objects(as_object(change.get("value")).get("statuses"))
