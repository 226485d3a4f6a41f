"""One connection: how strictly its requests are read, and how long one may take to arrive."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask

from otp_service import large_bodies
from otp_service.domain.errors import OtpError
from otp_service.web import errors, headers

REQUEST_SECONDS = 30.0  # from a request's first byte to its last
_REFUSALS: dict[int, Callable[[], OtpError]] = {
    413: errors.BodyTooLarge,
    500: errors.InternalError,
    503: partial(errors.Busy, retry_after=5),
}
_TRANSFER_ENCODING = re.compile(rb"^transfer-encoding[ \t]*:[ \t]*(.*?)[ \t\r]*$", re.I | re.M)
_CONTENT_LENGTH = re.compile(rb"^content-length[ \t]*:", re.I | re.M)
_FOLDED_LINE = re.compile(rb"\n[ \t]")


class _Parser(HTTPRequestParser):
    """Refuses what a proxy in front may read as other requests than we do (RFC 9112, 11.2).

    waitress by itself prefers Transfer-Encoding to Content-Length, joins folded lines, and
    in HTTP/1.0 overlooks Transfer-Encoding.
    """

    error: Any
    completed: bool
    expect_continue: bool

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.began = time.monotonic()  # a parser is made when a request's first byte is there
        self._refusal: Any = None

    def parse_header(self, header_plus: bytes) -> None:
        encodings = [told.lower() for told in _TRANSFER_ENCODING.findall(header_plus)]
        if _FOLDED_LINE.search(header_plus):
            raise ParsingError("a header over several lines")
        if encodings not in ([], [b"chunked"]):
            raise ParsingError("a transfer coding other than chunked")
        if encodings and _CONTENT_LENGTH.search(header_plus):
            raise ParsingError("both Transfer-Encoding and Content-Length")
        super().parse_header(header_plus)
        if encodings and not self.chunked:
            raise ParsingError("Transfer-Encoding in HTTP/1.0")

    def received(self, data: bytes) -> int:
        """A body that is not to be kept is let go as it comes, and refused at its end."""
        consumed: int = super().received(data)
        if self.headers_finished and self.error is None and self._refusal is None:
            self._refusal = large_bodies.in_this_process.refusal(self)
            if self._refusal:
                self.close()
                self.body_rcv.buf = large_bodies.Nowhere()
        if self._refusal and (self.completed or not large_bodies.is_read_to_its_end(self)):
            self.error, self.completed, self.expect_continue = self._refusal, True, False
        return consumed

    def close(self) -> None:
        """It was answered, or its connection has ended."""
        large_bodies.in_this_process.give_back(self)
        super().close()


class _EnvelopeTask(ErrorTask):
    """What waitress refuses before the application sees it, in the application's words."""

    def execute(self) -> None:
        error = self.request.error
        refusal = _REFUSALS.get(error.code, errors.BadRequest)()
        body = json.dumps(errors.body(refusal)).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers += [
            *headers.EVERYWHERE.items(),
            ("Content-Security-Policy", headers.NOTHING),
            ("Content-Type", "application/json"),
            ("X-Request-ID", secrets.token_hex(16)),
        ]
        if refusal.retry_after is not None:
            self.response_headers.append(("Retry-After", str(refusal.retry_after)))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):
    """waitress's connection, which ends if a request takes too long to arrive.

    waitress's own timeout starts again at each byte: one that drips would stay for ever.
    """

    parser_class = _Parser
    error_task_class = _EnvelopeTask

    def readable(self) -> bool:
        """The loop asks this of every connection, at least once a second."""
        if self._is_overdue():
            self.will_close = True
        return bool(super().readable())

    def handle_close(self) -> None:
        """What had begun to arrive takes no room any more."""
        if arriving := self.request:
            arriving.close()
        super().handle_close()

    def _is_overdue(self) -> bool:
        arriving = None if self.requests else self.request
        return arriving is not None and time.monotonic() - arriving.began > REQUEST_SECONDS
