"""Large bodies: for the paths that need them, and a few at a time.

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

from otp_service.domain import callbacks
from otp_service.web.bodies import MAX_BODY_BYTES

USEFUL = MAX_BODY_BYTES  # bytes; up to here a body needs no place
LARGE = callbacks.MAX_BODY_BYTES  # bytes; where others speak their own formats
READ = 1024 * 1024  # bytes, where none may be so large
PLACES = 4  # for what is larger, in this process: from its first byte until it was answered
MEDIUM_PLACES = 64  # for what is larger than most paths may have
_OTHERS_FORMATS = ("/webhooks/", "/hooks/", "/twilio/")


class Busy(Error):
    code, reason = 503, "Service Unavailable"


class Places:
    """Who has one. Taken by the thread that reads, given back by any."""

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


in_this_process = Places(PLACES)
medium_in_this_process = Places(MEDIUM_PLACES)


def is_small(request: HTTPRequestParser) -> bool:
    """Whether it needs none of all this: what there is of it, and what it says there will be."""
    return bool(request.content_length <= USEFUL >= request.body_bytes_received)


def refusal(request: HTTPRequestParser) -> Error | None:
    """Why the body of ``request``, whose headers are there, is not kept; None if it may be."""
    if _size(request) > LARGE:
        if request.path not in callbacks.LARGE:
            return RequestEntityTooLarge("")
        return None if in_this_process.take(request) else Busy("")
    if is_of_no_use(request):  # who waits to be told does not have to send it
        return RequestEntityTooLarge("") if request.expect_continue else None
    if request.body_bytes_received <= USEFUL:
        return None
    return None if medium_in_this_process.take(request) else Busy("")


def is_of_no_use(request: HTTPRequestParser) -> bool:
    """Whether its path takes no such body: the application says so, and needs not see it."""
    return _size(request) > USEFUL and not request.path.startswith(_OTHERS_FORMATS)


def give_back(request: HTTPRequestParser) -> None:
    in_this_process.give_back(request)
    medium_in_this_process.give_back(request)


def is_read_to_its_end(request: HTTPRequestParser) -> bool:
    """Although it is refused; not where its sender waits to be told, nor at any length."""
    far_too_large = request.path not in callbacks.LARGE and _size(request) > READ
    return not (far_too_large or request.expect_continue)


def _size(request: HTTPRequestParser) -> int:
    """Of the body alone: what arrives has the sizes of chunks in it, too."""
    kept = len(request.body_rcv) if request.body_rcv is not None else 0
    return int(max(request.content_length, kept))


class Nowhere:
    """A buffer, in waitress's place, that counts the bytes and keeps none."""

    def __init__(self, before: int) -> None:
        self._bytes = before

    def append(self, data: bytes) -> None:
        self._bytes += len(data)

    def close(self) -> None:
        pass

    def getfile(self) -> Any:
        return BytesIO()

    def __len__(self) -> int:
        return self._bytes
