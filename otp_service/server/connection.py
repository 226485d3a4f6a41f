"""One connection: how strictly its requests are read, and how long one may take to arrive."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask
from waitress.utilities import BadRequest

from otp_service.domain.errors import OtpError
from otp_service.server import framing, large_bodies
from otp_service.web import error_handlers, errors, request_log, security_headers

REQUEST_SECONDS = 30.0  # from a request's first byte to its last
LINGER_SECONDS = 1.0  # for who is still sending when the connection's last answer is out
_REFUSALS: dict[int, Callable[[], OtpError]] = {
    413: errors.BodyTooLarge,
    500: errors.InternalError,
    503: partial(errors.Busy, retry_after=5),
}


class _Parser(HTTPRequestParser):
    """Refuses what may be read in two ways, and keeps no more of a body than may be needed."""

    body_rcv: Any
    error: Any
    completed: bool
    expect_continue: bool
    headers_finished: bool

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.began = time.monotonic()  # a parser is made when a request's first byte is there
        self._refusal: Any = None

    def parse_header(self, header_plus: bytes) -> None:
        try:
            framing.check_head(header_plus)
            super().parse_header(header_plus)
        except framing.UnknownVersion:
            self._refusal = framing.VersionNotSupported("")
            raise
        except ValueError:  # of urllib, for an address that is none
            raise ParsingError("the path") from None
        if self.chunked:
            self.body_rcv = framing.Chunks(self.body_rcv.getbuf())

    def received(self, data: bytes) -> int:
        consumed = self._received(data)
        if self.completed:  # waitress would ask for a body that there isn't, and wait for it
            self.expect_continue = False
        if self.error:
            self.version = "1.1"  # ours, whatever theirs was
        return consumed

    def _received(self, data: bytes) -> int:
        try:
            if not self.headers_finished:
                framing.check_arriving(self.header_plus, data)
            consumed: int = super().received(data)
        except ParsingError as unfit:
            self.error, self.completed, self.headers_finished = BadRequest(*unfit.args), True, True
            return len(data)
        if self.headers_finished and self.error is None and self._refusal is None:
            self._let_go_of_what_is_too_much()
        if self._refusal and (self.completed or not large_bodies.is_read_to_its_end(self)):
            self.error, self.completed = self._refusal, True
        return consumed

    def _let_go_of_what_is_too_much(self) -> None:
        """What is not to be kept is let go as it comes; the answer comes at its end."""
        self._refusal = large_bodies.refusal(self)
        if self._refusal or large_bodies.is_of_no_use(self):
            large_bodies.give_back(self)
            self.body_rcv.buf = large_bodies.Nowhere(len(self.body_rcv))

    def close(self) -> None:
        """It was answered, or its connection has ended."""
        large_bodies.give_back(self)
        super().close()


class _EnvelopeTask(ErrorTask):
    """What waitress refuses before the application sees it, in the application's words."""

    def execute(self) -> None:
        error = self.request.error
        refusal = _REFUSALS.get(error.code, errors.BadRequest)()
        body = json.dumps(error_handlers.envelope(refusal)).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers += [
            *security_headers.EVERYWHERE.items(),
            ("Content-Security-Policy", security_headers.NOTHING),
            ("Content-Type", "application/json"),
            ("X-Request-ID", request_log.request_id(self.request.headers.get("X_REQUEST_ID", ""))),
        ]
        if refusal.retry_after is not None:
            self.response_headers.append(("Retry-After", str(refusal.retry_after)))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):
    """waitress's connection, which ends if a request takes too long to arrive, and in good order.

    waitress's own timeout starts again at each byte: one that drips would stay for ever. And it
    closes a connection with unread bytes on it, which takes the answer from who was still sending.
    """

    parser_class = _Parser
    error_task_class = _EnvelopeTask
    close_when_flushed: bool
    _stays_until: float | None = None  # all is said; what still comes is read and thrown away

    @property
    def is_of_client(self) -> bool:
        """Of the request that waits for a thread."""
        request = self.requests[0]
        names = ("Authorization", "X-API-Key")
        headers = {name: request.headers.get(name.upper().replace("-", "_"), "") for name in names}
        return request.error is None and bool(self.server.is_of_client(request.path, headers))

    def readable(self) -> bool:
        """The loop asks this of every connection, at least once a second."""
        if self._is_overdue():
            self.will_close = True
        return bool(super().readable())

    def handle_write(self) -> None:
        if self.close_when_flushed and not self.total_outbufs_len and not self.will_close:
            self.close_when_flushed = False
            self._say_goodbye()
        else:
            super().handle_write()

    def _say_goodbye(self) -> None:
        self._stays_until = time.monotonic() + LINGER_SECONDS
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:  # they have gone
            self.handle_close()

    def received(self, data: bytes) -> bool:
        return False if self._stays_until else bool(super().received(data))

    def handle_close(self) -> None:
        """What had begun to arrive takes no room any more."""
        if arriving := self.request:
            arriving.close()
        super().handle_close()

    def _is_overdue(self) -> bool:
        if self._stays_until:
            return time.monotonic() > self._stays_until
        arriving = None if self.requests else self.request
        return arriving is not None and time.monotonic() - arriving.began > REQUEST_SECONDS
