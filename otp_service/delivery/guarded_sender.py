"""What stands before each sender, so that a provider's trouble stays the provider's."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable

from otp_service.circuit_breaker import TriedCircuit
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError, DeliveryUnavailable
from otp_service.domain.failures import Outcome
from otp_service.domain.messages import Message, Sender

log = logging.getLogger(__name__)

Count = Callable[[str, "float | None"], None]
"""Told of each send: accepted, busy, circuit_open or its failure's code; and the seconds that the
call took, None if none was made."""


def _uncounted(outcome: str, seconds: float | None) -> None: ...


class GuardedSender:
    """A `Sender` behind a circuit breaker and a bulkhead.

    The circuit opens when the provider was down, or gave no clear answer, several times in a row:
    then calls fail at once. The bulkhead lets ``calls`` be under way at a time: however slow the
    provider, the other threads go on with what does not need it.
    """

    def __init__(
        self,
        sender: Sender,
        *,
        calls: int,
        circuit: TriedCircuit | None = None,
        count: Count = _uncounted,
    ) -> None:
        self.provider = sender.provider
        self.channel = sender.channel
        self._sender = sender
        self._circuit = circuit or TriedCircuit()
        self._free = threading.BoundedSemaphore(calls)
        self._count = count

    @property
    def is_available(self) -> bool:
        return not self._circuit.rests_for

    @property
    def state(self) -> str:
        """Of the circuit: closed, open or half_open (the next call tries)."""
        if not self._circuit.is_open:
            return "closed"
        return "open" if self._circuit.rests_for else "half_open"

    def send(self, message: Message) -> str:
        if not self._free.acquire(blocking=False):
            self._count("busy", None)
            raise DeliveryUnavailable("too many calls are under way", retry_after=1)
        try:
            if not self._circuit.admits():
                self._count("circuit_open", None)
                wait = math.ceil(self._circuit.rests_for) or 1
                raise DeliveryUnavailable("the circuit is open", retry_after=wait)
            return self._call(message)
        finally:
            self._free.release()

    def _call(self, message: Message) -> str:
        began = time.perf_counter()
        try:
            message_id = self._sender.send(message)
        except DeliveryError as error:
            self._count(error.failure.code, time.perf_counter() - began)
            unclear = error.failure.outcome is Outcome.UNKNOWN
            if not unclear and error.failure is not failures.PROVIDER_DOWN:
                self._circuit.succeeded()  # it answers, be it to refuse
            elif self._circuit.failed(certain=False):
                self._tell(logging.ERROR, "a provider is down: nothing waits until a call succeeds")
            raise
        self._count("accepted", time.perf_counter() - began)
        if self._circuit.failures:
            if self._circuit.is_open:
                self._tell(logging.WARNING, "a provider is back")
            self._circuit.succeeded()
        return message_id

    def _tell(self, level: int, event: str) -> None:
        log.log(level, event, extra={"provider": self.provider, "channel": self.channel.value})
