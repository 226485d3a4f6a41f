"""Heads of requests that could be read in two ways."""

from __future__ import annotations

import pytest

from tests.conftest import LiveServer
from tests.security.raw_http import (
    REQUEST,
    assert_refused_and_closed,
    raw_responses,
    sent_messages,
    smuggled,
    statuses,
)

HEADS = {
    "two hosts": b"GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "the same host twice": b"GET /health HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n",
    "no host": b"GET /health HTTP/1.1\r\nX-Any: a\r\n\r\n",
    "an empty host": b"GET /health HTTP/1.1\r\nHost:\r\n\r\n",
    "a list of hosts": b"GET /health HTTP/1.1\r\nHost: x, y\r\n\r\n",
    "a host with a path": b"GET /health HTTP/1.1\r\nHost: x/y\r\n\r\n",
    "a host with a name before": b"GET /health HTTP/1.1\r\nHost: a@x\r\n\r\n",
    "a host with a blank": b"GET /health HTTP/1.1\r\nHost: x y\r\n\r\n",
    "a blank before the host's colon": b"GET /health HTTP/1.1\r\nHost : x\r\n\r\n",
    "two slashes": b"GET //health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a hundred and one fields": b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"a:\r\n" * 100 + b"\r\n",
    "too many parameters": b"GET /health?" + b"a&" * 100 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "an encoded slash at the beginning": b"GET /%2Fhealth HTTP/1.1\r\nHost: x\r\n\r\n",
    "an encoded slash": b"GET /debug%2fwhatsapp HTTP/1.1\r\nHost: x\r\n\r\n",
    "two slashes and a host": b"GET //y/health HTTP/1.1\r\nHost: x\r\n\r\n",
    "another host": b"GET http://y/health HTTP/1.1\r\nHost: x\r\n\r\n",
    "two slashes behind the host": b"GET http://x//health HTTP/1.1\r\nHost: x\r\n\r\n",
    "another scheme": b"GET ftp://x/health HTTP/1.1\r\nHost: x\r\n\r\n",
    "no address": b"GET http://[/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "an address that is none": b"GET http://[1.2]/ HTTP/1.1\r\nHost: [1.2]\r\n\r\n",
    "no path": b"GET health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a host and a port": b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "an asterisk": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "a fragment": b"GET /health#/x HTTP/1.1\r\nHost: x\r\n\r\n",
    "a control character in the path": b"GET /he\x01alth HTTP/1.1\r\nHost: x\r\n\r\n",
    "a byte that is no ASCII": b"GET /h\xe9 HTTP/1.1\r\nHost: x\r\n\r\n",
    "two blanks": b"GET  /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tab": b"GET\t/health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a blank at the end": b"GET /health HTTP/1.1 \r\nHost: x\r\n\r\n",
    "a blank at the beginning": b" GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a blank line with a blank": b"\r\n \r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method in small letters": b"get /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a protocol in small letters": b"GET /health http/1.1\r\nHost: x\r\n\r\n",
    "no version": b"GET /health\r\nHost: x\r\n\r\n",
    "line feeds": b"GET /health HTTP/1.1\nHost: x\n\n",
    "one line feed": b"GET /health HTTP/1.1\r\nHost: x\nX-Any: a\r\n\r\n",
    "carriage returns": b"GET /health HTTP/1.1\rHost: x\r\r",
    "a carriage return before the end": b"GET /health HTTP/1.0\r\r\n\r\n",
    "a NUL": b"GET /health HTTP/1.1\r\nHost: x\r\nX-Any: a\0b\r\n\r\n",
    "a delete": b"GET /health HTTP/1.1\r\nHost: x\r\nX-Any: a\x7fb\r\n\r\n",
    "a folded header": b"GET /health HTTP/1.1\r\nHost: x\r\nX-Any: a\r\n b\r\n\r\n",
    "a folded first header": b"GET /health HTTP/1.1\r\n Host: x\r\n\r\n",
    "a line without a colon": b"GET /health HTTP/1.1\r\nHost: x\r\nX-Any\r\n\r\n",
    "a line without a name": b"GET /health HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n",
    "a length by another name": REQUEST + b"Content_Length: 5\r\n\r\n",
    "a coding by another name": REQUEST + b"Transfer_Encoding: chunked\r\n\r\n",
    "a length beyond all": REQUEST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "an empty length": REQUEST + b"Content-Length:\r\n\r\n",
}


@pytest.mark.statement(28)
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "byte by byte"])
def test_heads_that_can_be_read_in_two_ways_end_the_connection(
    live_server: LiveServer, at_once: bool
) -> None:
    for name, head in HEADS.items():
        heard = raw_responses(live_server, head + smuggled(), each=None if at_once else 1)
        assert_refused_and_closed(heard, name)
    assert sent_messages(live_server) == []


@pytest.mark.parametrize("version", [b"2.0", b"0.9", b"1.2", b"9.9"])
def test_other_versions_of_http_are_said_not_to_be_spoken(
    live_server: LiveServer, version: bytes
) -> None:
    raw = b"GET /health HTTP/%b\r\nHost: x\r\n\r\n" % version
    assert statuses(raw_responses(live_server, raw)) == [505]


PLAIN_HEADS = [
    b"GET /health HTTP/1.1\r\nhost: X:80\r\nConnection: close\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost:\t[::1]:8000 \r\nConnection: close\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: otp_service:8000\r\nConnection: close\r\n\r\n",
    b"GET http://x/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET HTTP://X:80/health?a=%2F HTTP/1.1\r\nHost: x:80\r\nConnection: close\r\n\r\n",
    b"\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nX-Any:\r\nX_Any: a\xe9\r\nConnection: close\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
    b"GET /health HTTP/1.0\r\n\r\n",
]


@pytest.mark.statement(28)
def test_heads_that_are_plain_are_answered(live_server: LiveServer) -> None:
    for head in PLAIN_HEADS:
        for each in (None, 1):
            assert statuses(raw_responses(live_server, head, each)) == [200], head
