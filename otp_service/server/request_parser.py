"""A request as it arrives: how strictly it is read, and how much of it is kept."""

from __future__ import annotations

import time
from typing import Any

from waitress.buffers import OverflowableBuffer
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import FixedStreamReceiver
from waitress.utilities import BadRequest

from otp_service.server import framing, large_bodies
from otp_service.server.chunks import Chunks


class RequestParser(HTTPRequestParser):
    """Refuses what may be read in two ways, and keeps no more of a body than may be needed."""

    adj: Any
    body_rcv: Any
    error: Any
    completed: bool
    expect_continue: bool
    headers_finished: bool
    path = ""  # until its head is read

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.began = time.monotonic()  # a parser is made when a request's first byte is there
        self._refusal: Any = None

    def parse_header(self, header_plus: bytes) -> None:
        """In the place of waitress's, so that nothing is read twice, and differently."""
        try:
            head = framing.read_head(header_plus)
        except framing.UnknownVersion:
            self._refusal = framing.VersionNotSupported("")
            raise
        self.command, self.request_uri, self.version = head.method, head.target, head.version
        self.path, self.query, self.headers = head.path, head.query, head.headers
        self.expect_continue = (
            head.version == "1.1" and head.headers.get("EXPECT", "").lower() == "100-continue"
        )
        self.chunked = head.length is None
        self.content_length = head.length or 0
        if self.chunked:
            self.body_rcv = Chunks(OverflowableBuffer(self.adj.inbuf_overflow))
        elif head.length:
            buffer = OverflowableBuffer(self.adj.inbuf_overflow)
            self.body_rcv = FixedStreamReceiver(head.length, buffer)

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
        is_large = self.headers_finished and not large_bodies.is_small(self)
        if is_large and self.error is None and self._refusal is None:
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
        if not large_bodies.is_small(self):
            large_bodies.give_back(self)
        super().close()
