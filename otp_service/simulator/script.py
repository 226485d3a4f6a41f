"""Faults to come, as a test wrote them down: they go before those of the number's ending."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from otp_service.simulator import faults
from otp_service.simulator.fault_table import EVENTS, SMS, WHATSAPP, Fault
from otp_service.simulator.messages import international

KEYS = {"destination", "next", "fault", "answer", "receipts", "early", "channel"}
MOST = 1000  # entries


@dataclass
class _Entry:
    fault: Fault
    destination: str  # "" is any
    left: int | None  # None is no end

    def fits(self, phone: str, channel: str) -> bool:
        return channel == self.fault.channel and self.destination in ("", phone)


class Script:
    """Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []

    def add(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Adds all of them or, if one can't be understood, none: ValueError says why."""
        new = [_entry(entry) for entry in entries]
        with self._lock:
            if len(self._entries) + len(new) > MOST:
                raise ValueError(f"a script has at most {MOST} entries")
            self._entries += new

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def pick(self, phone: str, channel: str) -> Fault | None:
        """The first that fits; one for this phone goes before one for all. Uses it up."""
        with self._lock:
            fitting = [entry for entry in self._entries if entry.fits(phone, channel)]
            entry = min(fitting, key=lambda entry: not entry.destination, default=None)
            if entry and entry.left is not None:
                entry.left -= 1
                if entry.left == 0:
                    self._entries.remove(entry)
            return entry.fault if entry else None


def _entry(entry: Mapping[str, Any]) -> _Entry:
    if not isinstance(entry, Mapping) or entry.keys() - KEYS:
        raise ValueError(f"an entry is an object with some of: {', '.join(sorted(KEYS))}")
    destination, times = entry.get("destination", ""), entry.get("next")
    if not isinstance(destination, str):
        raise ValueError("destination is a phone number in quotes")
    if times is not None and (type(times) is not int or times < 1):
        raise ValueError("next is how many sends or events: 1 or more")
    return _Entry(_fault(entry), destination and international(destination), times)


def _fault(entry: Mapping[str, Any]) -> Fault:
    channel = entry.get("channel", WHATSAPP)
    if channel not in (WHATSAPP, SMS, EVENTS):
        raise ValueError("channel is whatsapp, sms or events")
    if isinstance(name := entry.get("fault"), str):
        fault = faults.named(name)
        channel = entry.get("channel", fault.channel)
    else:
        answer, receipts = str(entry.get("answer", "accepted")), _receipts(entry.get("receipts"))
        fault = faults.custom("script", answer=answer, receipts=receipts, channel=channel)
    if channel == EVENTS:
        faults.custom(fault.name, answer=fault.answer, receipts=fault.receipts, channel=EVENTS)
    return replace(fault, channel=channel, early=bool(entry.get("early", fault.early)))


def _receipts(words: object) -> tuple[str, ...] | None:
    if words is None:
        return None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError("receipts is a list of words")
    return tuple(words)
