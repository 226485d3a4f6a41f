"""The loop that tells callers what happened to their verifications and messages."""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from otp_service.domain.errors import StorageUnavailable
from otp_service.domain.events import Endpoint, Event, EventOutbox
from otp_service.events.lane import Lane
from otp_service.events.poster import Outcome, Poster, Try
from otp_service.events.schedule import WAITS, wait_after
from otp_service.observability.log_redaction import described

IDLE_SECONDS = 1.0
EXPIRE_SECONDS = 25.0
STOP_SECONDS = 3.0
AT_ONCE = 8
log = logging.getLogger(__name__)

_Over = tuple[Lane, Event, Try]


class Telling:
    """One loop, which alone asks the outbox: whatever it does takes one database connection. Each
    try runs in a thread of its own, and no endpoint has more than ``at_once`` of them.

    Any number may run, in any processes. What nobody recorded, since a process was killed or the
    database was away, is told again when its lease ends. ``count`` is told what came of each try.
    """

    def __init__(
        self,
        outbox: EventOutbox,
        count: Callable[[str], None],
        *,
        new_poster: Callable[[], Poster] = Poster,
        waits: Sequence[float] = WAITS,
        at_once: int = AT_ONCE,
        idle: float = IDLE_SECONDS,
        expire_every: float = EXPIRE_SECONDS,
    ) -> None:
        self._outbox = outbox
        self._count = count
        self._new_poster = new_poster
        self._waits = waits
        self._at_once = at_once
        self._idle = idle
        self._expire_every = expire_every
        self._next_expiry = time.monotonic() + random.uniform(0, expire_every)  # noqa: S311
        self._lanes: dict[str, Lane] = {}
        self._over: queue.SimpleQueue[_Over] = queue.SimpleQueue()
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self.run, name="events", daemon=True)
        self._thread.start()

    def stop(self, *_: object) -> None:
        """Begin no more tries. Safe in a signal handler."""
        self._stopping.set()
        self._awake.set()

    def join(self) -> None:
        """Return when the tries under way are recorded, or after 3 seconds: what is not recorded
        by then is told again, by whoever finds its lease ended.
        """
        if self._thread:
            self._thread.join()

    def run(self) -> None:
        """Tell until `stop`."""
        while not self._stopping.is_set():
            self._awake.clear()
            went_well = self._guarded(self._turn)
            self._awake.wait(self._pause() if went_well else self._idle)
        self._finish()

    def _turn(self) -> None:
        self._record()
        endpoints = self._outbox.endpoints()
        self._forget_all_but({each.id for each in endpoints})
        if not endpoints:
            return
        if time.monotonic() > self._next_expiry:
            self._next_expiry = time.monotonic() + self._expire_every
            self._guarded(self._outbox.expire)
        for endpoint in endpoints:
            self._guarded(partial(self._look, endpoint))

    def _look(self, endpoint: Endpoint) -> None:
        """Begin to tell what is due, as far as the endpoint has tries left."""
        lane = self._lane(endpoint)
        if lane.is_closed or not lane.free or time.monotonic() < lane.next_look:
            return
        lane.looked(again_in=self._idle)
        for event in self._outbox.take(endpoint, lane.free):
            lane.begin(event)

    def _lane(self, endpoint: Endpoint) -> Lane:
        lane = self._lanes.get(endpoint.id)
        had_key = lane is None or lane.endpoint.key
        if lane is None:
            lane = Lane(endpoint, self._new_poster(), self._at_once, self._done)
            self._lanes[endpoint.id] = lane
        # Also later: another process may seal it anew with a secret that this one does not know.
        if had_key and not endpoint.key:
            log.error("the endpoint %s can't be told: its secret is gone", endpoint.id)
        lane.endpoint = endpoint
        return lane

    def _done(self, lane: Lane, event: Event, tried: Try) -> None:
        """In the thread of a try."""
        self._over.put((lane, event, tried))
        self._awake.set()

    def _record(self) -> None:
        while not self._over.empty():
            lane, event, tried = self._over.get()
            lane.over(tried)
            self._guarded(partial(self._settle, lane, event, tried))

    def _settle(self, lane: Lane, event: Event, tried: Try) -> None:
        wait = wait_after(event.tries, self._waits)
        is_last = tried.outcome is Outcome.FAILED and wait is None
        self._count((Outcome.GIVEN_UP if is_last else tried.outcome).value)
        if tried.outcome is Outcome.TOLD:
            self._outbox.told(event)
        elif tried.outcome is Outcome.GONE:
            self._outbox.end(lane.endpoint)
        else:
            self._outbox.postpone(event, wait)

    def _pause(self) -> float:
        """Seconds until the next endpoint is to be looked at."""
        lanes = self._lanes.values()
        looks = [each.next_look for each in lanes if each.free and not each.is_closed]
        return min(self._idle, max(0.0, min(looks) - time.monotonic())) if looks else self._idle

    def _forget_all_but(self, ids: set[str]) -> None:
        self._lanes = {each: lane for each, lane in self._lanes.items() if each in ids}

    def _finish(self) -> None:
        ends = time.monotonic() + STOP_SECONDS
        lanes = list(self._lanes.values())
        while any(each.under_way for each in lanes) and (left := ends - time.monotonic()) > 0:
            self._awake.clear()
            self._guarded(self._record)
            if any(each.under_way for each in lanes):
                self._awake.wait(left)

    def _guarded(self, task: Callable[[], object]) -> bool:
        """Whether it went well; nothing ends the other endpoints and events, nor the loop."""
        try:
            task()
        except StorageUnavailable as failure:
            log.error("what became of events could not be recorded: %s", failure.reason)
        except Exception as error:  # its text may hold a phone
            log.error("unexpected %s among events", type(error).__name__, extra=described(error))
        else:
            return True
        return False
