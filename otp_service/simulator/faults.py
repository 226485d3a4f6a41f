"""The fault of a name, of a phone number, or of a test's own words."""

from __future__ import annotations

import re

from otp_service.simulator.fault_table import EVENTS, OK, SMS, TABLE, WHATSAPP, Fault

MOST_RECEIPTS = 100  # of one message
STAGES = ("enqueued", "sent", "delivered", "read", "unknown", "failed", "sync-failed")

_NAMED = {fault.name: fault for fault in (OK, *TABLE)}
_ENDINGS = {fault.ending: fault for fault in TABLE}
_PREFIXES = {"sms-": SMS, "event-": EVENTS}
_EVENT_ANSWER = re.compile(
    r"http:[345][0-9][0-9]|(stall|retry-after):[0-9]{1,4}(\.[0-9]+)?|accepted|closed"
)
_ANSWER = re.compile(
    r"http:[45][0-9][0-9]|(stall|retry-after):[0-9]{1,4}(\.[0-9]+)?|accepted|closed|html|garbage|text|nested|error-200|no-id"
)


def named(name: str) -> Fault:
    """The fault of the table, or ``failed:CODE``, ``sync-failed:CODE``, ``http:STATUS``,
    ``retry-after:SECONDS``, ``stall:SECONDS`` with any value; the same after ``sms-``; after
    ``event-`` what an event may be answered.
    ValueError if it is none of these.
    """
    if name in _NAMED:
        return _NAMED[name]
    prefix = next((each for each in _PREFIXES if name.startswith(each)), "")
    channel, word = _PREFIXES.get(prefix, WHATSAPP), name.removeprefix(prefix)
    if _is_receipt(word) and "failed:" in word:
        return custom(name, receipts=_leading_to(word, channel), channel=channel)
    if _answers(channel).fullmatch(word):
        return custom(name, answer=word, channel=channel)
    raise ValueError(f"no such fault: {name!r}. There are: {', '.join(_NAMED)}")


def custom(
    name: str,
    *,
    answer: str = "accepted",
    receipts: tuple[str, ...] | None = None,
    channel: str = WHATSAPP,
) -> Fault:
    """A fault that the table doesn't have. The message is taken if the answer says so or receipts
    are asked for, and arrives if it is taken and not failed.
    """
    if not _answers(channel).fullmatch(answer):
        raise ValueError(f"no such answer: {answer!r}")
    if channel == EVENTS and receipts:
        raise ValueError("events have no receipts")
    if len(receipts or ()) > MOST_RECEIPTS:
        raise ValueError(f"a message has at most {MOST_RECEIPTS} receipts")
    if wrong := [word for word in receipts or () if not _is_receipt(word)]:
        raise ValueError(f"no such receipts: {wrong}")
    taken = bool(receipts) or answer.partition(":")[0] in ("accepted", "no-id", "stall")
    words = " ".join(receipts or ())
    arrives = taken and ("failed" not in words or "delivered" in words or "read" in words)
    return Fault("", name, "", answer, receipts if taken else (), arrives, channel=channel)


def of_number(phone: str, channel: str) -> Fault:
    """The fault that this number's ending chooses, if any; else `OK`."""
    fault = _ENDINGS.get(phone[-5:], OK)
    if fault.channel == channel:
        return fault
    return named("failed:131026") if fault.channel == SMS else OK


def reason(code: str, channel: str) -> str:
    """The provider's words for a failure code."""
    fault = _NAMED.get(f"{'sms-' if channel == SMS else ''}failed:{code}")
    return fault.description if fault else "Message failed to send"


def _answers(channel: str) -> re.Pattern[str]:
    return _EVENT_ANSWER if channel == EVENTS else _ANSWER


def _leading_to(word: str, channel: str) -> tuple[str, ...]:
    return (word,) if channel == SMS or word.startswith("sync") else ("enqueued", word)


def _is_receipt(word: str) -> bool:
    stage, _, code = word.partition(":")
    return stage in STAGES and bool(re.fullmatch(r"[0-9]{1,9}", code)) == stage.endswith("failed")
