"""What stands before each sender, so that a provider's trouble stays the provider's."""

from __future__ import annotations

import logging
import math
import threading

from otp_service.circuit import TriedCircuit
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError, DeliveryUnavailable
from otp_service.domain.failures import Outcome
from otp_service.domain.messages import Message, Sender

log = logging.getLogger(__name__)


class GuardedSender:
    """A `Sender` behind a circuit breaker and a bulkhead.

    The circuit opens when the provider was down, or gave no clear answer, several times in a row:
    then calls fail at once. The bulkhead lets ``calls`` be under way at a time: however slow the
    provider, the other threads go on with what does not need it.
    """

    def __init__(self, sender: Sender, *, calls: int, circuit: TriedCircuit | None = None) -> None:
        self.provider = sender.provider
        self.channel = sender.channel
        self._sender = sender
        self._circuit = circuit or TriedCircuit()
        self._free = threading.BoundedSemaphore(calls)

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
            raise DeliveryUnavailable("too many calls are under way", retry_after=1)
        try:
            if not self._circuit.admits():
                wait = math.ceil(self._circuit.rests_for) or 1
                raise DeliveryUnavailable("the circuit is open", retry_after=wait)
            return self._call(message)
        finally:
            self._free.release()

    def _call(self, message: Message) -> str:
        try:
            message_id = self._sender.send(message)
        except DeliveryError as error:
            unclear = error.failure.outcome is Outcome.UNKNOWN
            if not unclear and error.failure is not failures.PROVIDER_DOWN:
                self._circuit.succeeded()  # it answers, be it to refuse
            elif self._circuit.failed(certain=False):
                log.error("%s is down: nothing waits for it until a call succeeds", self.provider)
            raise
        if self._circuit.is_open:
            log.warning("%s is back", self.provider)
        self._circuit.succeeded()
        return message_id
