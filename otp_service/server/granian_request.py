"""One request that Granian hands over: refused, or read to its end and answered.

What is refused and kept is as with waitress, with one difference: a body tells its length. Granian
drops a Content-Length that comes with chunks, and takes extensions and trailers, so that nothing
here could tell a body that can be read in two ways.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote

from flask import Flask
from waitress.parser import ParsingError
from waitress.utilities import (
    BadRequest,
    Error,
    InternalServerError,
    RequestEntityTooLarge,
    RequestHeaderFieldsTooLarge,
)

from otp_service.domain import callbacks
from otp_service.server import connection, framing, granian_wsgi, large_bodies, tasks

log = logging.getLogger(__name__)

HEAD_BYTES = 32 * 1024
Then = Callable[[bytes], None]


class LengthRequired(Error):
    code, reason = 411, "Length Required"


class RequestTimeout(Error):
    code, reason = 408, "Request Timeout"


class Request:
    """``over`` is called with it when it was answered, or nobody is there any more.

    `large_bodies` knows it as it knows waitress's: by ``path``, ``content_length`` and the like.
    """

    body_rcv = None
    is_last = False  # on its connection

    def __init__(
        self, scope: Any, protocol: Any, app: Flask, over: Callable[[Request], None]
    ) -> None:
        self._scope, self._protocol, self._app, self._over = scope, protocol, app, over
        self._began = time.monotonic()
        self._awaited: Any = None  # a part of the body
        self.path: str = scope.path
        self.content_length = self.body_bytes_received = 0
        self.expect_continue = "expect" in scope.headers

    def begin(self) -> None:
        self._or_refuse(self._begin)

    def end_if_overdue(self) -> None:
        awaited = self._awaited
        if awaited and time.monotonic() - self._began > connection.REQUEST_SECONDS:
            awaited.cancel()

    def _begin(self) -> None:
        if unfit := self._unfit():
            self._refuse(unfit, b"")
            return
        self.content_length = int(self._scope.headers.get("content-length", "0"))
        self.body_bytes_received = self.content_length
        refusal = self._too_much() or large_bodies.refusal(self)
        then = partial(self._refuse, refusal) if refusal else self._answer
        if not self.content_length or (refusal and not large_bodies.is_read_to_its_end(self)):
            then(b"")
        elif refusal or large_bodies.is_of_no_use(self):
            self._protocol.__aiter__()
            self._let_go(then, b"-")
        else:
            self._await(self._protocol(), then)

    def _unfit(self) -> Error | None:
        if "transfer-encoding" in self._scope.headers:
            return LengthRequired("")
        if len(head := _head(self._scope)) > HEAD_BYTES:
            return RequestHeaderFieldsTooLarge("")
        try:
            framing.read_head(head)
        except ParsingError as unfit:
            return BadRequest(*unfit.args)
        return None

    def _too_much(self) -> Error | None:
        most = callbacks.LARGE.get(self.path, large_bodies.LARGE)
        return RequestEntityTooLarge("") if self.content_length > most else None

    def _let_go(self, then: Then, part: bytes) -> None:
        """Of each part as it comes, up to the last, which is empty."""
        if part:
            self._await(self._protocol.__anext__(), partial(self._let_go, then))
        else:
            then(b"")

    def _await(self, awaited: Any, then: Then) -> None:
        self._awaited = awaited
        awaited.add_done_callback(partial(self._or_refuse, self._arrived, then))

    def _arrived(self, then: Then, awaited: Any) -> None:
        self._awaited = None  # they would keep each other for ever
        if awaited.cancelled():
            self._refuse(RequestTimeout(""), b"")
        elif awaited.exception():  # they have gone: without an answer Granian would wait for one
            self._refuse(BadRequest(""), b"")
        else:
            then(awaited.result())

    def _or_refuse(self, step: Callable[..., None], *given: Any) -> None:
        """Granian expects no error from what it calls."""
        try:
            step(*given)
        except Exception:
            log.exception("a request could not be answered")
            self._refuse(InternalServerError(""), b"")

    def _answer(self, body: bytes) -> None:
        status, headers, said = granian_wsgi.call(
            self._app, granian_wsgi.environ(self._scope, body)
        )
        if self.is_last:
            headers.append(("Connection", "close"))
        self._end()  # before it is out, so that whoever counts what is left counts no answer
        self._protocol.response_bytes(status, headers, said)

    def _refuse(self, error: Error, _body: bytes) -> None:
        """In the application's words, and it is the connection's last answer."""
        their_id = self._scope.headers.get("x-request-id", "")
        headers, body = tasks.refusal(error.code, their_id, self.path)
        headers.append(("Connection", "close"))
        self._end()
        self._protocol.response_bytes(error.code, headers, body)

    def _end(self) -> None:
        large_bodies.give_back(self)
        self._over(self)


def _head(scope: Any) -> bytes:
    """As it may have been written, for those who look how it may be read."""
    host = f"http://{scope.authority}" if scope.authority else ""
    query = f"?{scope.query_string}" if scope.query_string else ""
    version = "1.1" if scope.http_version == "1.1" else "1.0"
    first = f"{scope.method} {host}{quote(scope.path)}{query} HTTP/{version}"
    lines = [f"{name}:{value}" for name, value in scope.headers.items()]
    return "\r\n".join([first, *lines, "", ""]).encode("latin-1")
