"""Tells receipts: each at its time, those of one message one after the other."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Protocol
from urllib.parse import urlsplit

from otp_service.simulator.inbox import Callback, Inbox, Message, now
from otp_service.simulator.options import Options

PATIENCE = 10  # seconds, as Gupshup's
RECEIVERS = 16  # callbacks at the same time


@dataclass(frozen=True)
class Outgoing:
    """A callback as it goes over the wire. An empty ``url`` goes nowhere."""

    url: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"


class Writer(Protocol):
    def __call__(self, message: Message, receipt: str, at: datetime) -> Outgoing | None:
        """The callback that tells ``receipt``, None if the provider has none for it."""


@dataclass(frozen=True)
class Step:
    """``wait`` seconds after the step before, tell that ``receipt`` happened ``at``."""

    wait: float
    receipt: str
    at: datetime


@dataclass
class _Run:
    message: Message
    steps: list[Step]
    writer: Writer
    epoch: int
    tries: int = 1


class Courier:
    """Safe between threads. Runs until `close`."""

    def __init__(self, options: Options, inbox: Inbox) -> None:
        self._options, self._inbox = options, inbox
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, _Run]] = []
        self._numbers = itertools.count()
        self._busy = 0
        self._epoch = 0  # of runs: `forget` begins a new one
        self._closed = False
        self._pool = ThreadPoolExecutor(RECEIVERS, "callback")
        self._clock = threading.Thread(target=self._watch, name="receipts", daemon=True)
        self._clock.start()

    def plan(self, message: Message, steps: list[Step], writer: Writer) -> None:
        """Tell these, one after the other, beginning now."""
        self._go_on(_Run(message, steps, writer, self._epoch))

    def tell(self, message: Message, step: Step, writer: Writer) -> bool:
        """Now, and wait for the receiver. Whether it answered 2xx, or nobody is to be told."""
        return self._tell(_Run(message, [step], writer, self._epoch))

    def _tell(self, run: _Run) -> bool:
        message, step = run.message, run.steps[0]
        outgoing = run.writer(message, step.receipt, step.at)
        if outgoing is None:
            return True
        self._inbox.reached(message, step.receipt)
        if not outgoing.url:
            return True
        answer, _ = exchange(outgoing)
        self._inbox.told(message, Callback(step.receipt, now(), answer))
        taken = answer.startswith("2")
        if not taken and run.tries <= self._options.retries:
            again = replace(run, steps=[step], tries=run.tries + 1)
            self._put(again, self._options.retry_pause)
        return taken

    def settle(self, timeout: float) -> bool:
        """Wait until nothing is planned or under way; whether that was so within ``timeout``."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._due and not self._busy, timeout)

    def forget(self) -> None:
        """What is planned is not told. What is under way ends."""
        with self._changed:
            self._epoch += 1
            self._due.clear()
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._due.clear()
            self._changed.notify_all()
        self._clock.join()
        self._pool.shutdown()

    def _go_on(self, run: _Run) -> None:
        if run.steps:
            self._put(run, run.steps[0].wait)

    def _put(self, run: _Run, wait: float) -> None:
        with self._changed:
            if not self._closed and run.epoch == self._epoch:
                heapq.heappush(self._due, (time.monotonic() + wait, next(self._numbers), run))
                self._changed.notify_all()

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                self._busy += 1
                self._pool.submit(self._go, heapq.heappop(self._due)[2])

    def _go(self, run: _Run) -> None:
        try:
            self._tell(run)
            self._go_on(replace(run, steps=run.steps[1:], tries=1))
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()


def exchange(outgoing: Outgoing) -> tuple[str, bytes]:
    """The receiver's status, or the kind of trouble, and what it said. No redirect is followed,
    no proxy asked.
    """
    try:
        url = urlsplit(outgoing.url)
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        with closing(kind(url.hostname or "", url.port, timeout=PATIENCE)) as connection:
            path = f"{url.path or '/'}{'?' * bool(url.query)}{url.query}"
            connection.request(outgoing.method, path, outgoing.body or None, outgoing.headers)
            response = connection.getresponse()
            return str(response.status), response.read(1000)
    except (OSError, HTTPException, ValueError) as trouble:
        return f"no answer: {type(trouble).__name__}", b""
