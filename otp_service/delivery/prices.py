"""What providers tell of a message's price. They name no amount, but what it is reckoned by."""

from __future__ import annotations

import re

from otp_service.delivery.parsing import Json
from otp_service.domain.verification import Price

_NAME = re.compile(r"[a-z0-9_-]{1,40}")


def read(*pricing: Json) -> Price | None:
    """The first of these objects that tells something.

    Meta's ``pricing`` (…/whatsapp/pricing), which version 3 of Gupshup's callbacks repeats; in
    version 2 ``pricing`` has a ``policy`` and no ``billable``, and a billing event's
    ``deductions`` a ``model``, and in the older ones the category as its ``type``.
    """
    return next(filter(None, map(_read, pricing)), None)


def _read(pricing: Json) -> Price | None:
    names = ("category", "type")
    category = next(filter(None, (_word(pricing.get(name)) for name in names)), None)
    type_ = _word(pricing.get("type")) if _word(pricing.get("category")) else None
    models = (_word(pricing.get(name)) for name in ("pricing_model", "policy", "model"))
    model = next(filter(None, models), None)
    price = Price(category, _flag(pricing.get("billable")), model and model.upper(), type_)
    return price if price != Price() else None


def _word(value: object) -> str | None:
    """A name such as ``authentication_international``, in lower case."""
    word = value.strip().lower() if isinstance(value, str) else ""
    return word if _NAME.fullmatch(word) else None


def _flag(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(_word(value) or "")
