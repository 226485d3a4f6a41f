"""Sends receipts: each at its time, those of one message one after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Protocol

from otp_service.simulator import http
from otp_service.simulator.http import CallbackRequest
from otp_service.simulator.inbox import Inbox
from otp_service.simulator.messages import Callback, Message, now
from otp_service.simulator.options import Options
from otp_service.simulator.receipts import Step
from otp_service.simulator.schedule import Schedule


class Writer(Protocol):
    def __call__(self, message: Message, receipt: str, at: datetime) -> CallbackRequest | None:
        """The callback for ``receipt``, which happened ``at``; None if the provider has none."""


@dataclass(frozen=True)
class _Run:
    message: Message
    steps: list[Step]
    writer: Writer
    generation: int
    tries: int = 1


class CallbackSender:
    """Safe between threads. Runs until `close`."""

    def __init__(self, options: Options, inbox: Inbox) -> None:
        self._options, self._inbox = options, inbox
        self._schedule = Schedule()

    def plan(self, message: Message, steps: list[Step], writer: Writer) -> None:
        """Send these, one after the other, beginning now."""
        self._plan(_Run(message, steps, writer, self._schedule.generation))

    def send(self, message: Message, step: Step, writer: Writer) -> bool:
        """Now, and wait for the receiver. Whether it answered 2xx, or nobody is there to get it."""
        return self._send(_Run(message, [step], writer, self._schedule.generation))

    def settle(self, timeout: float) -> bool:
        """Wait until nothing is planned or under way; whether that was so within ``timeout``."""
        return self._schedule.settle(timeout)

    def forget(self) -> None:
        """What is planned is not sent. What is under way ends."""
        self._schedule.clear()

    def close(self) -> None:
        self._schedule.close()

    def _plan(self, run: _Run) -> None:
        if run.steps:
            self._schedule.put(run.steps[0].wait, partial(self._go, run), run.generation)

    def _go(self, run: _Run) -> None:
        self._send(run)
        self._plan(replace(run, steps=run.steps[1:], tries=1))

    def _send(self, run: _Run) -> bool:
        message, step = run.message, run.steps[0]
        request = run.writer(message, step.receipt, step.at)
        if request is None:
            return True
        if run.tries == 1:  # later it may have come further
            self._inbox.set_status(message, step.receipt)
        if not request.url:
            return True
        answer, _ = http.send(request)
        self._inbox.add_callback(message, Callback(step.receipt, now(), answer))
        taken = answer.startswith("2")
        if not taken and run.tries <= self._options.retries:
            self._again(replace(run, steps=[step], tries=run.tries + 1))
        return taken

    def _again(self, run: _Run) -> None:
        self._schedule.put(self._options.retry_pause, partial(self._go, run), run.generation)
