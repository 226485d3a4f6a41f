"""Large bodies: for the one path that needs them, and a few at a time.

A body is held as a whole before anybody looks who sent it. So what is not to be kept is not: it is
read to its end, because who is cut off in the middle would not hear the answer, and let go at once.
"""

from __future__ import annotations

import threading
from io import BytesIO
from typing import Any
from weakref import WeakSet

from waitress.parser import HTTPRequestParser
from waitress.utilities import Error, RequestEntityTooLarge

from otp_service.web import webhooks

LARGE = webhooks.MAX_BODY_BYTES  # bytes; up to here a body needs no place
READ = 1024 * 1024  # bytes, where none may be so large
PLACES = 4  # in this process, from a body's first byte until it was answered


class Busy(Error):  # type: ignore[misc] # waitress has no types
    code, reason = 503, "Service Unavailable"


class LargeBodies:
    """Who has a place. Taken by the thread that reads, given back by any."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._holders: WeakSet[HTTPRequestParser] = WeakSet()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            return len(self._holders)

    def take(self, request: HTTPRequestParser) -> bool:
        """Whether ``request`` has a place, or gets one."""
        with self._lock:
            if request not in self._holders and len(self._holders) < self._places:
                self._holders.add(request)
            return request in self._holders

    def give_back(self, request: HTTPRequestParser) -> None:
        with self._lock:
            self._holders.discard(request)

    def refusal(self, request: HTTPRequestParser) -> Error | None:
        """Why the body of ``request``, whose headers are there, is not kept; None if it is."""
        if _size(request) <= LARGE:
            return None
        if request.path != webhooks.META_PATH:
            return RequestEntityTooLarge("")
        return None if self.take(request) else Busy("")


def is_read_to_its_end(request: HTTPRequestParser) -> bool:
    """Although it is refused; not where its sender waits to be told, nor at any length."""
    far_too_large = request.path != webhooks.META_PATH and _size(request) > READ
    return not (far_too_large or request.expect_continue)


def _size(request: HTTPRequestParser) -> int:
    return int(max(request.content_length, request.body_bytes_received))


class Nowhere:
    """A buffer, in waitress's place, that keeps nothing."""

    def append(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass

    def getfile(self) -> Any:
        return BytesIO()

    def __len__(self) -> int:
        return 0


in_this_process = LargeBodies(PLACES)
