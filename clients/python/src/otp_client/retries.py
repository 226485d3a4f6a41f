"""Trying again: what is worth it, after which pause, and until when."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from otp_client.transport import Lost, Reply, Request, Transport, visible

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 4.0  # seconds, of which a random part is waited
KEY = "Idempotency-Key"


@dataclass(frozen=True)
class Retries:
    """``timeout`` for one try, ``deadline`` for all of them and the pauses between, in seconds."""

    timeout: float
    deadline: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    def ask(self, transport: Transport, request: Request, *, own_key: bool) -> Reply | Lost:
        """The answer, or what the last try came to.

        ``own_key``: the idempotency key is this call's own, not one that its caller holds on to.
        """
        ends, pauses, lost_one = self.clock() + self.deadline, _pauses(), False
        while True:
            came = transport.exchange(request, min(self.timeout, ends - self.clock()))
            wait = _wait(came, lost_one=lost_one, own_key=own_key)
            if wait is None:
                return came
            wait += next(pauses)
            if wait + self._worthwhile > ends - self.clock():
                return came
            lost_one = lost_one or isinstance(came, Lost)
            request = _next(request, came)
            self.sleep(wait)

    @property
    def _worthwhile(self) -> float:
        """A try in less time than this would only turn a clear answer into none."""
        return min(1.0, self.deadline / 10)


def with_key(request: Request, key: str | None = None) -> Request:
    """With this idempotency key, or one of its own."""
    key = str(uuid.uuid4()) if key is None else visible("idempotency_key", key)
    return replace(request, headers={**request.headers, KEY: key})


def _wait(came: Reply | Lost, *, lost_one: bool, own_key: bool) -> float | None:
    """How many seconds at least, before another try; None if that is of no use.

    503 says that nothing was done. One that is replayed is the recorded end of an earlier try,
    which that key will be told for ever, and whose Retry-After is over.
    """
    if isinstance(came, Lost):
        return None if came.hopeless else 0.0
    if came.status == 503 and came.replayed:
        return 0.0 if own_key else None
    if came.status == 503 or (lost_one and _still_runs(came)):
        return float(came.retry_after or 0)
    return None


def _still_runs(came: Reply) -> bool:
    """The try whose answer was lost: it is this call, too."""
    error = (came.document or {}).get("error")
    return isinstance(error, dict) and error.get("code") == "idempotency_in_progress"


def _next(request: Request, came: Reply | Lost) -> Request:
    """The same request; with a new key where the old one stands for a failure."""
    used_up = isinstance(came, Reply) and came.replayed
    return with_key(request) if used_up else request


def _pauses() -> Iterator[float]:
    """Each up to twice as long as the one before, and random: not all callers come at once."""
    for number in count():
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2**number)
        yield random.uniform(0, longest)  # noqa: S311 (no secret)
