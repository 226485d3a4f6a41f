"""A body in chunks that can be read in one way only (RFC 9112)."""

from __future__ import annotations

import re
from typing import Any

from waitress.utilities import BadRequest, Error

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_END = re.compile(rb"\r\n")
_BEGINNING = {_SIZE: re.compile(rb"[0-9A-Fa-f]{1,8}\r?"), _END: re.compile(rb"\r")}
_LONGEST_LINE = 10  # bytes
# Reading takes longer for each chunk than for its bytes, and all connections wait for it: 72 kB in
# chunks of one byte took 40 ms.
MOST_CHUNKS = 256  # of any size; beyond that one for each `USUAL_CHUNK` of the body
USUAL_CHUNK = 1024  # bytes; proxies make them of 4 KiB and more


class Chunks:
    """A chunked body, in the place of waitress's, into ``buf``.

    waitress takes ``5\\n\\r\\n`` for a size, empty lines before one, extensions and trailers. Here
    a chunk is its size in hexadecimal, CR LF, so many bytes, CR LF, and the last one is empty.
    """

    def __init__(self, buf: Any) -> None:
        self.buf = buf
        self.completed = False
        self.error: Error | None = None
        self._expected: re.Pattern[bytes] | None = _SIZE  # None: bytes of the chunk
        self._left = 0
        self._chunks = 0
        self._is_last = False
        self._begun = b""  # what has arrived of the expected

    def received(self, data: bytes) -> int:
        """How many of these bytes belong to the body."""
        known, at = self._begun + data, 0
        before, self._begun = len(self._begun), b""
        while at < len(known) and not (self.completed or self.error):
            at = self._chunk(known, at) if self._expected is None else self._line(known, at)
        return at - before

    def _chunk(self, known: bytes, at: int) -> int:
        part = known[at : at + self._left]
        self.buf.append(part)
        self._left -= len(part)
        if not self._left:
            self._expected = _END
        return at + len(part)

    def _line(self, known: bytes, at: int) -> int:
        assert self._expected
        if found := self._expected.match(known, at):
            self._after(found)
            return len(known) if self.error else found.end()
        rest = known[at : at + _LONGEST_LINE]
        if len(known) - at < _LONGEST_LINE and _BEGINNING[self._expected].fullmatch(rest):
            self._begun = rest
            return len(known)
        self.error = BadRequest("a chunk")
        return len(known)

    def _after(self, found: re.Match[bytes]) -> None:
        if self._expected is _END:
            self.completed, self._expected = self._is_last, _SIZE
            self._count()
        else:
            self._left = int(found[1], 16)
            self._is_last = not self._left
            self._expected = None if self._left else _END

    def _count(self) -> None:
        self._chunks += 1
        if self._chunks > MOST_CHUNKS + len(self.buf) // USUAL_CHUNK:
            self.error = BadRequest("too many chunks")

    def __len__(self) -> int:
        return len(self.buf)

    def getfile(self) -> Any:
        return self.buf.getfile()

    def getbuf(self) -> Any:
        return self.buf
