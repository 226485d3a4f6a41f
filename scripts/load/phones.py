"""The phones: numbers nobody had before, and the codes that the simulator delivered to them."""

from __future__ import annotations

import itertools
import json
import random
import threading
import urllib.request
from urllib.parse import quote

FIRST = 9_100_000_000  # Indian mobile numbers
STEP = 48_271_013  # no divisor of SPAN: all differ, and neighbours share no prefix
SPAN = 800_000_000

# No proxy from the environment: the simulator is on this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Phones:
    """``simulator`` is its address: it has to run with --no-number-faults."""

    def __init__(self, simulator: str) -> None:
        self._simulator = simulator
        self._numbers = itertools.count(random.randrange(SPAN))
        self._lock = threading.Lock()

    def new(self) -> str:
        with self._lock:
            number = next(self._numbers)
        return f"+91{FIRST + number * STEP % SPAN}"

    def code(self, phone: str) -> str | None:
        """Of the newest message that this phone got, None if it got none."""
        query = f"{self._simulator}/simulator/messages?phone={quote(phone.lstrip('+'))}"
        with _opener.open(query, timeout=30) as response:
            messages = json.load(response)["messages"]
        return str(messages[-1]["code"]) if messages else None
