"""The tries that are under way to one endpoint: however slow it is, it holds up itself alone."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable

from otp_service.domain.events import Endpoint, Event
from otp_service.events.poster import Outcome, Poster, Try
from otp_service.observability.log_redaction import described

log = logging.getLogger(__name__)

Done = Callable[["Lane", Event, Try], None]


class Lane:
    """What one loop knows of an endpoint. All but the tries themselves is the loop's alone.

    ``done`` is called in the thread of a try when it is over, whatever came of it.
    """

    def __init__(self, endpoint: Endpoint, poster: Poster, most: int, done: Done) -> None:
        self.endpoint = endpoint
        self._wants_no_more = False  # the list of endpoints may not know it yet
        self.under_way = 0
        self.next_look = -math.inf
        self._poster = poster
        self._most = most
        self._done = done
        self._fails = False

    @property
    def is_closed(self) -> bool:
        """Nothing may be told there: what no key signs is refused, and its try would be lost."""
        return self._wants_no_more or not self.endpoint.key

    @property
    def free(self) -> int:
        """How many tries may begin now."""
        return max(0, self._most - self.under_way)

    def begin(self, event: Event) -> None:
        """Try to tell of it, in a thread that ends with the try: none is kept for quiet times, and
        none of them holds up the end of the process.
        """
        endpoint = self.endpoint  # a later turn may find it changed
        name = f"event for {endpoint.id}"
        threading.Thread(target=self._try, args=(endpoint, event), name=name, daemon=True).start()
        self.under_way += 1

    def _try(self, endpoint: Endpoint, event: Event) -> None:
        try:
            outcome = self._poster.post(endpoint, event)
        except Exception as error:  # its text may hold a phone
            kind = type(error).__name__
            log.error("unexpected %s while an event was told", kind, extra=described(error))
            outcome = Try(Outcome.FAILED, kind)
        self._done(self, event, outcome)

    def over(self, tried: Try) -> None:
        """One is over: another may begin. Where an endpoint begins or ceases to fail, that is a
        line in the log; each try would be thousands.
        """
        self.under_way -= 1
        self.next_look = -math.inf
        if tried.outcome is Outcome.GONE:
            if not self._wants_no_more:
                log.warning("the endpoint %s wants no more events, and gets none", self.endpoint.id)
            self._wants_no_more = True
        elif (fails := tried.outcome is Outcome.FAILED) != self._fails:
            self._fails = fails
            tell = log.warning if fails else log.info
            does = "does not take events" if fails else "takes events again"
            tell("the endpoint %s %s: %s", self.endpoint.id, does, tried.said)

    def looked(self, again_in: float) -> None:
        """It was looked for what is due; ``again_in`` so many seconds, or when a try is over."""
        self.next_look = time.monotonic() + again_in
