"""What providers tell of a message's price. They name no amount, but what it is reckoned by."""

from __future__ import annotations

import re
from collections.abc import Mapping

from otp_service.delivery.parsing import words
from otp_service.domain.verification import Price


def read(*told: Mapping[str, object]) -> Price | None:
    """The first of these objects that tells something.

    Meta's ``pricing`` (…/whatsapp/pricing), which version 3 of Gupshup's callbacks repeats; in
    version 2 ``pricing`` has a ``policy`` and no ``billable``, and a billing event's
    ``deductions`` a ``model``, and in the older ones the category as its ``type``.
    """
    return next(filter(None, map(_read, told)), None)


def _read(told: Mapping[str, object]) -> Price | None:
    names = ("category", "type")
    category = next(filter(None, (_word(told.get(name)) for name in names)), None)
    type_ = _word(told.get("type")) if _word(told.get("category")) else None
    models = (_word(told.get(name)) for name in ("pricing_model", "policy", "model"))
    model = next(filter(None, models), None)
    price = Price(category, _flag(told.get("billable")), model and model.upper(), type_)
    return price if price != Price() else None


def _word(value: object) -> str | None:
    """A name such as ``authentication_international``, in lower case."""
    told = words(value).lower()
    return told if re.fullmatch(r"[a-z0-9_-]{1,40}", told) else None


def _flag(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(words(value).lower())
