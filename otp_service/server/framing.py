"""What a request looks like that can be read in one way only (RFC 9112).

A proxy in front that reads another request than we do lets one request hide in another. So what
parsers are known to disagree about is refused, even where the standard would let us be lenient.
"""

from __future__ import annotations

import re
from typing import Any

from waitress.parser import ParsingError
from waitress.utilities import BadRequest, Error

# While a head arrives: a control character, a bare line feed, a line that goes on in the next, a
# bare carriage return. Each begins with what is rare: so most bytes are passed over fast.
_UNFIT = re.compile(
    rb"[\x00-\x1f\x7f](?:(?<![\t\n\r])|(?<=\n)(?:(?<!\r\n)|(?=[ \t]))|(?<=\r)(?!\n|\Z))"
)
_START = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Z-]+ (?P<target>[!-~]+) HTTP/(?P<version>\d\.\d)")
# An encoded slash is a part of a name to some, and to others what it is for us: a slash.
_PATH = r"/(?!/)(?:(?!%2f)[^?#])*"
_TARGET = re.compile(rf"(?:https?://(?P<host>[^/?#]*)(?=[/?]))?{_PATH}(?:\?[^#]*)?", re.I)
_HOST = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_LENGTH = re.compile(r"[0-9]{1,15}")
_IMITATIONS = (b"content_length", b"transfer_encoding")  # WSGI's names for them are the same
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_END = re.compile(rb"\r\n")
_BEGINNING = {_SIZE: re.compile(rb"[0-9A-Fa-f]{1,8}\r?"), _END: re.compile(rb"\r")}
_LONGEST_LINE = 10  # bytes
# Reading takes longer for each field, parameter and chunk than for their bytes, and all connections
# wait for it: 32 KiB of empty fields took 34 ms, 72 kB in chunks of one byte 40 ms.
MOST_FIELDS = 100
MOST_PARAMETERS = 100  # of a query
MOST_CHUNKS = 256  # of any size; beyond that one for each `USUAL_CHUNK` of the body
USUAL_CHUNK = 1024  # bytes; proxies make them of 4 KiB and more


class UnknownVersion(ParsingError):
    """Neither HTTP/1.0 nor HTTP/1.1."""


class VersionNotSupported(Error):
    """The answer to it."""

    code, reason = 505, "HTTP Version Not Supported"


def check_arriving(before: bytes, data: bytes) -> None:
    """Of a head that is not complete: ``before`` has arrived, ``data`` now. At once, so that who
    ends lines in another way does not wait for ever.
    """
    known = before[-4:]
    head = (known + data).partition(b"\r\n\r\n")[0]
    begins_with_blank = not known and head[:1] in (b" ", b"\t")
    if begins_with_blank or _UNFIT.search(head, max(0, len(known) - 1)):
        raise ParsingError("a character or a line that can be read in two ways")


def check_head(head: bytes) -> None:
    """Raises `ParsingError` for a whole head that may be read in two ways."""
    first, *lines = head.rstrip(b"\r\n").split(b"\r\n")
    if len(lines) > MOST_FIELDS:
        raise ParsingError("too many fields")
    start = _START.fullmatch(first)
    if start is None:
        raise ParsingError("the first line")
    if start["version"] not in (b"1.0", b"1.1"):
        raise UnknownVersion("the version")
    is_new, values = start["version"] == b"1.1", _values(lines)
    _check_host(hosts := values.get(b"host", []), needed=is_new)
    _check_target(start["target"].decode(), hosts)
    _check_length(values, chunks_known=is_new)


def _values(lines: list[bytes]) -> dict[bytes, list[str]]:
    """What is told under each name, in lower case."""
    values: dict[bytes, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        values.setdefault(name.lower(), []).append(value.strip(b" \t").decode("latin-1").lower())
    return values


def _check_host(hosts: list[str], *, needed: bool) -> None:
    if len(hosts) > 1 or (needed and not hosts):
        raise ParsingError("not one Host")
    if hosts and not _HOST.fullmatch(hosts[0]):
        raise ParsingError("the Host")


def _check_target(target: str, hosts: list[str]) -> None:
    """A path, or a whole address that is the Host's."""
    found = _TARGET.fullmatch(target)
    if found is None:
        raise ParsingError("the path")
    if target.count("&") >= MOST_PARAMETERS:
        raise ParsingError("too many parameters")
    if found["host"] is not None and [found["host"].lower()] != hosts:
        raise ParsingError("another host than Host")


def _check_length(values: dict[bytes, list[str]], *, chunks_known: bool) -> None:
    lengths, codings = values.get(b"content-length", []), values.get(b"transfer-encoding", [])
    if any(name in values for name in _IMITATIONS):
        raise ParsingError("a name that some read as another")
    if codings not in ([], ["chunked"]) or (codings and not chunks_known):
        raise ParsingError("a transfer coding other than chunked")
    if len(lengths) + len(codings) > 1:
        raise ParsingError("more than one length")
    if lengths and not _LENGTH.fullmatch(lengths[0]):
        raise ParsingError("the length")


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
