"""One connection that checks codes, one after the other, and how long each took."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection

PAUSE_SECONDS = 0.02  # between checks


@dataclass
class Checks:
    """``times`` are milliseconds; ``errors`` counts whatever is no success."""

    times: list[float] = field(default_factory=list)
    errors: int = 0

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.times, n=100)[-1] if len(self.times) > 1 else 0.0


def check(port: int, keys: Sequence[str], codes: Iterator[str], seconds: float) -> Checks:
    """Each of ``codes`` is "PHONE CODE"."""
    found = Checks()
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        phone, code = next(codes).split()
        began = time.perf_counter()
        found.errors += not _is_right(connection, keys, phone, code)
        found.times.append((time.perf_counter() - began) * 1000)
        time.sleep(PAUSE_SECONDS)
    connection.close()
    return found


def _is_right(connection: HTTPConnection, keys: Sequence[str], phone: str, code: str) -> bool:
    key = keys[int(phone[-5:]) % len(keys)]  # as requests.lua picks it: who sent checks
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = json.dumps({"phone_number": phone, "otp": code})
    try:
        connection.request("POST", "/verify-otp", body, headers)
        return bool(json.loads(connection.getresponse().read())["success"])
    except (OSError, ValueError):
        connection.close()
        return False
