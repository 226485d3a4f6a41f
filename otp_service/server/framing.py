"""A request's head that can be read in one way only (RFC 9112), and what it says.

A proxy in front that reads another request than we do lets one request hide in another. So what
parsers are known to disagree about is refused, even where the standard would let us be lenient.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from waitress.parser import ParsingError
from waitress.utilities import Error

# Lines as far as they have come, none of which goes on in the next.
_LINES = re.compile(rb"(?:[\t -~\x80-\xff]*\r\n(?![ \t]))*[\t -~\x80-\xff]*\r?")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_START = re.compile(r"([!#$%&'*+.^_`|~0-9A-Z-]+) ([!-~]+) HTTP/([0-9]\.[0-9])")
_SITE = re.compile(r"https?://([^/?#]*)(?=/)", re.I)
_HOST = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_LENGTH = re.compile(r"[0-9]{1,15}")
_ONCE = ("HOST", "CONTENT_LENGTH", "TRANSFER_ENCODING")
# Reading takes longer for each field and parameter than for their bytes, and all connections wait
# for it: 32 KiB of empty fields took 34 ms.
MOST_FIELDS = 100
MOST_PARAMETERS = 100  # of a query


class UnknownVersion(ParsingError):
    """Neither HTTP/1.0 nor HTTP/1.1."""


class VersionNotSupported(Error):
    """The answer to it."""

    code, reason = 505, "HTTP Version Not Supported"


class Head(NamedTuple):
    """``path`` and ``headers`` as WSGI has them, the latter without a prefix."""

    method: str
    target: str
    path: str
    query: str
    version: str
    headers: dict[str, str]
    length: int | None  # bytes; None: the body comes in chunks


def check_arriving(before: bytes, data: bytes) -> None:
    """Of a head that is not complete: ``before`` has arrived, ``data`` now. At once, so that who
    ends lines in another way does not wait for ever.
    """
    known = before[-3:].removeprefix(b"\n")  # its carriage return was before these
    head, end, _ = (known + data).partition(b"\r\n\r\n")
    begins_with_blank = not before and head.startswith((b" ", b"\t"))
    if begins_with_blank or not _LINES.fullmatch(head + end):
        raise ParsingError("a character or a line that can be read in two ways")


def read_head(head: bytes) -> Head:
    """Raises `ParsingError` for a whole head that may be read in two ways."""
    first, *lines = head.decode("latin-1").removesuffix("\r\n").removesuffix("\r\n").split("\r\n")
    if len(lines) > MOST_FIELDS:
        raise ParsingError("too many fields")
    start = _START.fullmatch(first)
    if start is None:
        raise ParsingError("the first line")
    method, target, version = start.groups()
    if version not in ("1.0", "1.1"):
        raise UnknownVersion("the version")
    headers = _headers(lines)
    _check_host(headers.get("HOST"), needed=version == "1.1")
    path, query = _path_and_query(target, headers.get("HOST"))
    length = _length(headers, chunks_known=version == "1.1")
    return Head(method, target, path, query, version, headers, length)


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        spelled, colon, told = line.partition(":")
        name, value = _name(spelled), told.strip(" \t")
        if not colon or (name in headers and name in _ONCE):
            raise ParsingError("no colon, or the second of its name")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    headers.pop("", None)
    return headers


@lru_cache(256)
def _name(spelled: str) -> str:
    """As WSGI has it, without a prefix; ``""`` for what is nobody's.

    A name with an underscore is: it could pass for one with a hyphen.
    """
    if not _NAME.fullmatch(spelled):
        raise ParsingError("a name")
    name = spelled.upper()
    if "_" in name:
        if name in _ONCE:
            raise ParsingError("a name that some read as another")
        return ""
    return name.replace("-", "_")


def _check_host(host: str | None, *, needed: bool) -> None:
    if needed if host is None else not _HOST.fullmatch(host):
        raise ParsingError("the Host")


def _path_and_query(target: str, host: str | None) -> tuple[str, str]:
    """Of a path, or of a whole address that is the Host's."""
    if target.count("&") >= MOST_PARAMETERS:
        raise ParsingError("too many parameters")
    if not target.startswith("/"):
        target = _within_site(target, host)
    path, _, query = target.partition("?")
    if path.startswith("//") or "#" in target:
        raise ParsingError("the path")
    if "%" in path:
        # An encoded slash is a part of a name to some, and to others what it is for us: a slash.
        if "%2f" in path.lower():
            raise ParsingError("a slash in the path")
        path = unquote_to_bytes(path).decode("latin-1")
    return path, query


def _within_site(target: str, host: str | None) -> str:
    site = _SITE.match(target)
    if site is None or host is None or site[1].lower() != host.lower():
        raise ParsingError("another host than Host")
    try:
        urlsplit(target)
    except ValueError:
        raise ParsingError("an address that is none") from None
    return target[site.end() :]


def _length(headers: dict[str, str], *, chunks_known: bool) -> int | None:
    """The application gets no coding: it is given the body itself."""
    coding, length = headers.pop("TRANSFER_ENCODING", None), headers.get("CONTENT_LENGTH")
    if coding is None:
        if length is not None and not _LENGTH.fullmatch(length):
            raise ParsingError("the length")
        return int(length or 0)
    if coding.lower() != "chunked" or not chunks_known:
        raise ParsingError("a transfer coding other than chunked")
    if length is not None:
        raise ParsingError("more than one length")
    return None
