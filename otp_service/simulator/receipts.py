"""Which receipts a message has, and when each of them is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from otp_service.simulator.fault_table import SMS, Fault
from otp_service.simulator.messages import Message
from otp_service.simulator.options import Options

_ORDER = ("enqueued", "sent", "delivered", "read")  # as things happen, whenever they are sent


@dataclass(frozen=True)
class Step:
    """``wait`` seconds after the step before, say that ``receipt`` happened ``at``."""

    wait: float
    receipt: str
    at: datetime


def plan(message: Message, fault: Fault, options: Options) -> list[Step]:
    words = fault.receipts if fault.receipts is not None else _usual(message.channel, options)
    rng, delay = message.random, options.delay
    waits = [delay * (1 + rng.uniform(0, options.jitter)) for _ in words]
    after = (0.04 for _ in words) if fault.early else accumulate(waits)
    sent = [timedelta(seconds=seconds) for seconds in after]
    happened = [message.at + time for time in _happened(words, sent)]
    return [Step(*step) for step in zip(waits, words, happened, strict=True)]


def _usual(channel: str, options: Options) -> Sequence[str]:
    if channel == SMS:
        return ("delivered",)
    return _ORDER if options.read else _ORDER[:3]


def _happened(words: Sequence[str], sent: Sequence[timedelta]) -> list[timedelta]:
    """When each happened, if it is sent then: what is sent twice happened once, and what is sent
    in the wrong order happened in the right one, before the first of it was sent.
    """
    places = [_place(word) for word in words]
    return [
        min(time for time, other in zip(sent, places, strict=True) if other >= place)
        - timedelta(milliseconds=10 * (len(_ORDER) - place))
        for place in places
    ]


def _place(receipt: str) -> float:
    stage = receipt.partition(":")[0]
    return _ORDER.index(stage) if stage in _ORDER else 1.5
