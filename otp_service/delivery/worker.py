"""What runs beside requests: messages that are due, receipts, and the cleanup."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from otp_service.domain.errors import StorageUnavailable
from otp_service.domain.follow_up import FollowUp
from otp_service.domain.messages import Outgoing
from otp_service.observability.log_redaction import described

IDLE_SECONDS = 1.0
STUCK_SECONDS = 15.0
CLEANUP_SECONDS = 3_600.0
log = logging.getLogger(__name__)

Around = Callable[[Outgoing], AbstractContextManager[object]]


class Worker:
    """One loop and ``hands`` that send. Any number of workers may run, in any processes.

    `start` and `stop` run it in a thread beside a server, `run` in this one. ``around`` is held
    by whoever handles a message.
    """

    def __init__(
        self,
        follow_up: FollowUp,
        clean_up: Callable[[], object],
        *,
        hands: int = 8,
        around: Around = nullcontext,
    ) -> None:
        self._follow_up = follow_up
        self._clean_up = clean_up
        self._hands = hands
        self._around = around
        self._in_hand: list[Future[None]] = []
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._last_turn = 0.0
        self._next_cleanup = time.monotonic() + random.uniform(60, 120)  # noqa: S311

    @property
    def state(self) -> str:
        """off, running, or stuck if it has not come round for long."""
        if not self._last_turn or self._stopping.is_set():
            return "off"
        return "running" if time.monotonic() - self._last_turn < STUCK_SECONDS else "stuck"

    def start(self) -> None:
        self._thread = threading.Thread(target=self.run, name="worker", daemon=True)
        self._thread.start()

    def stop(self, *_: object) -> None:
        """Take nothing new; what is in hand is finished. Safe in a signal handler."""
        self._stopping.set()
        self._awake.set()

    def join(self) -> None:
        """Return when what was in hand is finished."""
        if self._thread:
            self._thread.join()

    def wake(self) -> None:
        """There is something to do: don't wait for the next second."""
        self._awake.set()

    def run(self) -> None:
        """Work until `stop`."""
        with ThreadPoolExecutor(self._hands + 1, thread_name_prefix="worker") as pool:
            while not self._stopping.is_set():
                self._last_turn = time.monotonic()
                self._awake.clear()
                if not self._turn(pool):
                    self._awake.wait(IDLE_SECONDS)

    def _turn(self, pool: ThreadPoolExecutor) -> bool:
        """Whether there was anything to do."""
        if time.monotonic() > self._next_cleanup:
            self._next_cleanup = time.monotonic() + CLEANUP_SECONDS
            pool.submit(self._guarded, self._clean_up)
        try:
            settled = self._follow_up.settle_receipts()
            return self._hand_out(pool) or settled > 0
        except Exception as error:  # nothing may end the loop; the text may hold a number
            kind = type(error).__name__
            log.error("unexpected %s in the worker's loop", kind, extra=described(error))
            return False

    def _hand_out(self, pool: ThreadPoolExecutor) -> bool:
        self._in_hand = [task for task in self._in_hand if not task.done()]
        free = self._hands - len(self._in_hand)
        taken = self._follow_up.take(free) if free > 0 else []  # two homes may have given more
        for message in taken:
            task = pool.submit(self._guarded, partial(self._handle, message))
            task.add_done_callback(lambda _: self.wake())
            self._in_hand.append(task)
        return bool(taken)

    def _handle(self, message: Outgoing) -> None:
        with self._around(message):
            self._follow_up.handle(message)

    def _guarded(self, task: Callable[[], object]) -> None:
        """Whatever goes wrong with one task must not end the others; a lease ends by itself."""
        try:
            task()
        except StorageUnavailable as failure:
            log.error("the worker could not record something: %s", failure.reason)
        except Exception as error:  # its text may hold a code
            log.error("unexpected %s in the worker", type(error).__name__, extra=described(error))
