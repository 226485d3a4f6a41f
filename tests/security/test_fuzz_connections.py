"""Whatever bytes come in, by Hypothesis: they are read in one way, and get an answer."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from waitress.adjustments import Adjustments
from waitress.buffers import OverflowableBuffer

from otp_service.server.chunks import Chunks
from otp_service.server.request_parser import RequestParser
from tests.conftest import LiveServer
from tests.security.fuzzing import through_the_app

PLAIN = st.sampled_from(
    [
        b"Content-Length: 5",
        b"CONTENT-LENGTH:0",
        b"Transfer-Encoding: chunked",
        b"TRANSFER-ENCODING:chunked",
        b"Host: x",
    ]
)
ODD = st.sampled_from(
    [b"content-length : 5", b"Transfer-Encoding: identity", b" folded", b"X: \xff", b"\0"]
)
NOISY = st.tuples(PLAIN | ODD | st.binary(), st.sampled_from([b"\r\n", b"\n", b"\r"]))
BLOCKS = st.lists(PLAIN, max_size=4).map(b"\r\n".join) | st.lists(NOISY.map(b"".join)).map(b"".join)
STARTS = st.sampled_from(
    [b"POST /send-otp HTTP/1.1\r\nHost: x", b"POST / HTTP/1.1", b"GET / HTTP/1.0", b"GET /"]
)


@pytest.mark.statement(20)
@given(STARTS, BLOCKS)
@settings(deadline=None, max_examples=300)
def test_headers_that_are_taken_say_once_how_long_the_body_is(start: bytes, block: bytes) -> None:
    raw = start + b"\r\n" + block + b"\r\n\r\n"
    parser = RequestParser(Adjustments())
    parser.received(raw)
    told = re.findall(
        rb"(?im)^(?:content-length|transfer-encoding):", raw.partition(b"\r\n\r\n")[0]
    )
    assert len(told) <= 1 or parser.error


@pytest.mark.statement(20)
@given(
    data=st.data(),
    path=st.sampled_from(["/send-otp", "/health", "/webhooks/meta"]),
)
@settings(through_the_app, max_examples=40)
def test_a_damaged_request_gets_a_refusal_or_none(
    live_server: LiveServer, data: st.DataObject, path: str
) -> None:
    body = b'{"phone_number": "+919876543210"}'
    whole = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()
    whole += b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    place = data.draw(st.integers(0, len(whole)))
    gone = data.draw(st.integers(0, 20))
    damaged = whole[:place] + data.draw(st.binary(max_size=20)) + whole[place + gone :]
    heard = said(live_server, damaged, patience=0.1)
    for status in re.findall(rb"HTTP/1\.[01] ([0-9]{3}) ", heard):
        assert status.startswith((b"2", b"4"))
    assert b"HTTP/1.1 200 " in said(live_server, WELL, patience=20)


WELL = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
VISIBLE = st.text(alphabet=[chr(code) for code in range(33, 127)], min_size=1)
PIECES = ["http://", "//", "[", "]", ":", "/", "x", "..", "%00", "%2f", "?", "#", "@", "\\", "*"]
TARGETS = st.lists(st.sampled_from(PIECES)).map("".join) | VISIBLE | VISIBLE.map("/{}".format)
FIRST_LINES = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["GET", "POST", "CONNECT", "OPTIONS", "get", "G T", "", "\0"]) | VISIBLE,
    st.sampled_from([" ", " ", " ", "  ", "\t", ""]),
    TARGETS,
    st.sampled_from([" ", " ", " ", "\t", ""]),
    st.sampled_from(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "http/1.1", ""]),
).map(str.encode)
FIELD_NAMES = [
    "Host",
    "Expect",
    "Connection",
    "Content-Type",
    "Authorization",
    "Range",
    "X-Any",
    "Accept",
]
FIELDS = st.builds(
    "{}{}{}".format,
    st.sampled_from([*FIELD_NAMES, "Content_Length", "Idempotency-Key", "Prefer", "X-Request-ID"]),
    st.sampled_from([": ", ": ", ": ", ":", " : ", ":\t", ""]),
    st.sampled_from(["x", "[::1]:80", "[", "x, y", "close", "bytes=0-", "100-continue", "ü"])
    | st.text(max_size=30),
).map(lambda field: field.encode("utf-8", "surrogatepass"))


@pytest.mark.statement(28)
@given(FIRST_LINES, st.booleans(), st.lists(FIELDS, max_size=3), st.sampled_from([b"\r\n", b"\n"]))
@example(b"GET http://[/ HTTP/1.1", True, [], b"\r\n")
@example(b"GET //[ HTTP/1.1", True, [], b"\r\n")
@example(b"GET /health HTTP/1.1", True, [b"Expect: 100-continue"], b"\r\n")
@example(b"POST /send-otp HTTP/1.1", True, [b"Content-Length: " + b"9" * 5000], b"\r\n")
@settings(through_the_app, max_examples=300)
def test_whatever_the_head_of_a_request_is_it_gets_an_answer(
    live_server: LiveServer, first: bytes, host: bool, fields: list[bytes], end: bytes
) -> None:
    lines = [first, *([b"Host: x"] if host else []), *fields, b"", b""]
    assume(b"".join(lines))  # empty lines are no request yet
    heard = said(live_server, end.join(lines), patience=20)
    (status,) = re.findall(rb"\AHTTP/1\.[01] ([0-9]{3}) ", heard) or [heard]
    assert status.startswith((b"2", b"3", b"4")) or status == b"505", heard
    assert b"HTTP/1.1 200 " in said(live_server, WELL, patience=20)


CHUNK_PIECES = [b"2", b"{}", b"\r\n", b"\r\n", b"0", b"\n", b"\r", b";a=b", b" ", b"-", b"x", b"0x"]


@pytest.mark.statement(28)
@given(st.lists(st.sampled_from(CHUNK_PIECES)).map(b"".join), st.data())
@example(b"2\r\n{}\r\n0\r\n\r\n", None)
@settings(deadline=None, max_examples=500)
def test_chunks_are_read_in_one_way_however_they_arrive(raw: bytes, data: Any) -> None:
    chunks = Chunks(OverflowableBuffer(100))
    at = 0
    while at < len(raw) and not (chunks.completed or chunks.error):
        size = data.draw(st.integers(1, len(raw) - at)) if data else 1
        taken = chunks.received(raw[at : at + size])
        assert taken == size or chunks.completed
        at += taken
    found = body_in(raw)
    assert chunks.completed == (found is not None)
    if found is not None:
        assert (chunks.getfile().read(), at) == found


def body_in(raw: bytes) -> tuple[bytes, int] | None:
    """A chunked body and where it ends, as the strictest reader of RFC 9112 finds it."""
    at, body, line = 0, b"", re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
    while found := line.match(raw, at):
        size = int(found[1], 16)
        body += raw[found.end() : found.end() + size]
        at = found.end() + size
        if raw[at : at + 2] != b"\r\n":
            return None
        at += 2
        if not size:
            return body, at
    return None


def said(server: LiveServer, raw: bytes, patience: float) -> bytes:
    """What comes back within so many seconds."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(raw)
        connection.settimeout(patience)
        try:
            return connection.recv(65536)
        except (TimeoutError, ConnectionError):
            return b""
