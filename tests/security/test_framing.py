"""One request is one request: bodies that could end in two places."""

from __future__ import annotations

import json
from importlib.metadata import version

import pytest
from flask import Flask

from otp_service.server.waitress_server import Server, listen
from tests.conftest import LiveServer
from tests.security.raw_http import (
    PHONE,
    REQUEST,
    assert_refused_and_closed,
    raw_responses,
    sent_messages,
    smuggled,
    statuses,
)

AMBIGUOUS = {
    "length and chunked": b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    "chunked and length": b"transfer-encoding: Chunked\r\ncontent-length: 5",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 50",
    "the same length twice": b"Content-Length: 5\r\nContent-Length: 5",
    "a list of lengths": b"Content-Length: 5, 5",
    "a signed length": b"Content-Length: +5",
    "a hexadecimal length": b"Content-Length: 0x5",
    "a length and a blank": b"Content-Length : 5",
    "chunked, identity": b"Transfer-Encoding: chunked, identity",
    "identity, chunked": b"Transfer-Encoding: identity, chunked",
    "identity": b"Transfer-Encoding: identity",
    "gzip, chunked": b"Transfer-Encoding: gzip, chunked",
    "chunked, chunked": b"Transfer-Encoding: chunked, chunked",
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "xchunked": b"Transfer-Encoding: xchunked",
    "quoted": b'Transfer-Encoding: "chunked"',
    "empty": b"Transfer-Encoding:",
    "empty, and a length": b"Transfer-Encoding:\r\nContent-Length: 5",
    "a vertical tab": b"Transfer-Encoding:\x0bchunked",
    "a blank before the colon": b"Transfer-Encoding : chunked",
    "on a line of its own": b"Transfer-Encoding:\r\n chunked",
    "hidden in a folded line": b"X-Any: a\r\n\tTransfer-Encoding: chunked\r\nContent-Length: 5",
    "after a bare line feed": b"X-Any: a\nTransfer-Encoding: chunked",
    "after a bare carriage return": b"X-Any: a\rTransfer-Encoding: chunked",
    "a NUL in a value": b"Content-Length: 5\r\nX-Any: a\0b",
    "a NUL in a name": b"Content-Length: 5\r\nX-A\0ny: b",
    "a NUL after chunked": b"Transfer-Encoding: chunked\0",
}


@pytest.mark.statement(20)
def test_requests_that_can_be_read_in_two_ways_end_the_connection(live_server: LiveServer) -> None:
    for name, framing in AMBIGUOUS.items():
        heard = raw_responses(live_server, REQUEST + framing + b"\r\n\r\n0\r\n\r\n" + smuggled())
        assert_refused_and_closed(heard, name)
    assert sent_messages(live_server) == []


@pytest.mark.statement(20)
def test_http_1_0_has_no_chunks(live_server: LiveServer) -> None:
    old = REQUEST.replace(b"1.1", b"1.0") + b"Connection: keep-alive\r\n"
    heard = raw_responses(
        live_server, old + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled()
    )
    assert statuses(heard) == [400]
    assert sent_messages(live_server) == []


@pytest.mark.statement(20)
@pytest.mark.parametrize("framing", [b"Content-Length: 5", b"Transfer-Encoding:\t chunked "])
def test_requests_that_are_plain_are_answered_one_after_the_other(
    live_server: LiveServer, framing: bytes
) -> None:
    heard = raw_responses(live_server, REQUEST + framing + b"\r\n\r\n0\r\n\r\n" + smuggled())
    assert statuses(heard) == [400, 200]  # no JSON object, then the other
    assert len(sent_messages(live_server)) == 1


CHUNKS = {
    "an extension": b"2;a=b\r\n{}\r\n0\r\n\r\n",
    "an empty extension": b"2;\r\n{}\r\n0\r\n\r\n",
    "an extension of the last": b"2\r\n{}\r\n0;a\r\n\r\n",
    "a line feed in an extension": b"5;\nx\r\nhello\r\n0\r\n\r\n",
    "a line feed before the line's end": b"2\n\r\n{}\r\n0\r\n\r\n",
    "a line feed alone": b"2\n{}\r\n0\r\n\r\n",
    "a line feed after the bytes": b"2\r\n{}\n0\r\n\r\n",
    "a line feed after the last": b"2\r\n{}\r\n0\n\r\n",
    "a line feed at the end": b"2\r\n{}\r\n0\r\n\n",
    "a carriage return alone": b"2\r{}\r0\r\r",
    "an empty line before": b"\r\n2\r\n{}\r\n0\r\n\r\n",
    "an empty line between": b"2\r\n{}\r\n\r\n0\r\n\r\n",
    "a blank after the size": b"2 \r\n{}\r\n0\r\n\r\n",
    "a blank before the size": b" 2\r\n{}\r\n0\r\n\r\n",
    "a sign": b"-2\r\n{}\r\n0\r\n\r\n",
    "a plus": b"+2\r\n{}\r\n0\r\n\r\n",
    "a prefix": b"0x2\r\n{}\r\n0\r\n\r\n",
    "an underscore": b"0_2\r\n{}\r\n0\r\n\r\n",
    "no digit": b"g\r\n{}\r\n0\r\n\r\n",
    "a size beyond all": b"10000000000000002\r\n{}\r\n0\r\n\r\n",
    "more bytes than told": b"2\r\n{}XX0\r\n\r\n",
    "fewer bytes than told": b"3\r\n{}\r\n0\r\n\r\n",
    "a trailer": b"2\r\n{}\r\n0\r\nX-Any: a\r\n\r\n",
    "a trailer about lengths": b"2\r\n{}\r\n0\r\nContent-Length: 50\r\n\r\n",
    "a thousand chunks of a byte": b"1\r\n \r\n" * 1_000 + b"0\r\n\r\n",
}


@pytest.mark.statement(20, 28)
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "byte by byte"])
def test_chunks_that_can_be_read_in_two_ways_end_the_connection(
    live_server: LiveServer, at_once: bool
) -> None:
    for name, chunks in CHUNKS.items():
        raw = REQUEST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + smuggled()
        heard = raw_responses(live_server, raw, each=None if at_once else 1)
        assert_refused_and_closed(heard, name)
    assert sent_messages(live_server) == []


@pytest.mark.statement(25)
def test_a_large_body_in_chunks_as_proxies_make_them_is_read(live_server: LiveServer) -> None:
    body = json.dumps(PHONE).encode() + b" " * 16_000
    pieces = [body[at : at + 64] for at in range(0, len(body), 64)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    raw = REQUEST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    assert statuses(raw_responses(live_server, raw)) == [200]


@pytest.mark.statement(28)
@pytest.mark.parametrize("each", [None, 1, 7])
def test_plain_chunks_are_read_however_they_arrive(
    live_server: LiveServer, each: int | None
) -> None:
    body = json.dumps(PHONE).encode()
    chunks = b"%x\r\n%b\r\n%X\r\n%b\r\n000\r\n\r\n" % (9, body[:9], len(body) - 9, body[9:])
    raw = REQUEST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    assert statuses(raw_responses(live_server, raw, each)) == [200]
    assert len(sent_messages(live_server)) == 1


@pytest.mark.statement(20)
def test_waitress_is_a_release_without_known_holes_and_reads_nothing_ahead(app: Flask) -> None:
    server = Server(app, listen("127.0.0.1", 0), threads=1)
    chosen = server._waitress.adj
    server._waitress.task_dispatcher.shutdown()
    server._waitress.close()
    assert tuple(map(int, version("waitress").split(".")[:3])) >= (3, 0, 2)
    assert chosen.channel_request_lookahead == 0
    assert chosen.trusted_proxy is None
