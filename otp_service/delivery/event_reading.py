"""What the readers of both providers' events share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from otp_service.delivery.event_states import LEVELS, NOTED, plain_word, state_of
from otp_service.delivery.parsing import Json, as_objects, moment, scrub, text, words
from otp_service.domain.provider_events import Kind, Level, ProviderEvent

Facts = dict[str, Any]
"""`ProviderEvent`'s fields, as far as they were told: texts not yet fit to be kept."""

UNKNOWN: Facts = {"kind": Kind.OTHER, "topic": "other", "state": "other", "level": Level.FINE}
_LANGUAGE = 64  # characters, which are kept; real ones have 2 to 10
_TIERS = {"unlimited": float("inf"), "not_set": 0.0}


def event(facts: Facts, provider: str, at: datetime | None) -> ProviderEvent:
    """Made fit to be kept: short, printable, and without a phone number but for its last digits."""
    name = facts.get("name", "")
    if facts["kind"] is Kind.NUMBER:
        name = scrub(name)
    fit = {key: _line(facts.get(key, "")) for key in ("ref", "language", "owner")}
    fit["language"] = fit["language"][:_LANGUAGE]
    level = facts.get("level") or LEVELS[facts["state"]]
    if facts["topic"] == "name" and level is Level.TROUBLE:
        level = Level.RISK  # the name that was approved before stays
    quiet = facts["kind"] is Kind.TEMPLATE and level is Level.FINE
    return ProviderEvent(
        provider=provider,
        kind=facts["kind"],
        topic=plain_word(facts["topic"])[:16],
        state=facts["state"],
        level=level,
        name=_line(name),
        detail="" if quiet else scrub(facts.get("detail", "")),
        at=at,
        **fit,
    )


def state_among(*values: object) -> str:
    """Of the first of these words that the table knows; NOTED if it knows none."""
    return next(filter(None, (state_of(text(word)) for word in values)), NOTED)


def category_state(new: str) -> str:
    """Of a template whose category has changed, or will."""
    authentication = plain_word(new) == "authentication"
    return "recategorized_authentication" if authentication else "recategorized"


def tier_state(before: object, after: object) -> str | None:
    """Whether a limit such as TIER_10K went up or down."""
    old, new = _tier(before), _tier(after)
    if old is None or new is None or old == new:
        return None
    return "downgraded" if new < old else "upgraded"


def restrictions(value: object) -> str:
    """What may not be done, and until when."""
    kinds = ("type", "restriction_type", "restrictionType")
    ends = ("expiry", "expiration", "expiresAt")
    return joined(
        f"{first(each, kinds)} until {_day(first(each, ends))}".removesuffix(" until ")
        for each in as_objects(value)
    )


def amounts(value: object) -> str:
    """A range such as 25000001:50000000, so that it does not look like phone numbers."""
    legible = re.sub(r"[0-9]{1,15}", lambda number: f"{int(number[0]):,}", text(value))
    return legible.replace(":", " to ")


def _day(value: str) -> str:
    """With slashes: dashes would be taken for those of a phone number."""
    at = moment(value)
    return f"{at:%Y/%m/%d}" if at else value.replace("-", "/")


def first(facts: Json, names: Iterable[str]) -> str:
    """What stands under the first of these names that is there."""
    return next(filter(None, (text(facts.get(name)) for name in names)), "")


def joined(values: Iterable[str]) -> str:
    """Each thing that was told once; ``NONE`` is Meta's word for nothing."""
    said = dict.fromkeys(each for each in values if each and each.upper() != "NONE")
    return ", ".join(said)


def _tier(value: object) -> float | None:
    """Messages a day: TIER_2K is 2,000."""
    name = plain_word(words(value)).removeprefix("tier_")
    if name in _TIERS:
        return _TIERS[name]
    found = re.fullmatch(r"([0-9]{1,9})(k?)", name)
    return float(found[1]) * (1000 if found[2] else 1) if found else None


def _line(value: str) -> str:
    """Ids are nothing but digits, too: what has a plus before them is a phone number."""
    masked = re.sub(r"\+[0-9]{7,}", lambda phone: f"••••{phone[0][-4:]}", value)
    return "".join(char for char in masked if char.isprintable())[:200]
