"""HTTP as a stranger speaks it: addresses that lie, requests that are two, headers that protect."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Sequence
from importlib.metadata import version
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from requests.structures import CaseInsensitiveDict

from otp_service.server.waitress_server import Server, listen
from otp_service.web import client_address
from tests.conftest import LiveServer, MakeApp, Serve

ROOT = Path(__file__).parent.parent.parent
PHONE = {"phone_number": "+919876543210"}
SECRET = "a-webhook-secret-of-the-tests"
DELIVERED = {"type": "message-event", "payload": {"gsId": "m1", "type": "delivered"}}


def exchange(server: LiveServer, raw: bytes, each: int | None = None) -> bytes:
    """All that comes back until the server closes the connection; sent so many bytes at a time."""
    host, port = server.url.removeprefix("http://").split(":")
    heard = b""
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        size = each or len(raw)
        try:
            for start in range(0, len(raw), size):
                connection.sendall(raw[start : start + size])
            while part := connection.recv(65536):
                heard += part
        except ConnectionError:  # closed while more was on its way
            pass
    return heard


def statuses(heard: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] ([0-9]{3}) ", heard)]


# --- whose request it is ---


def caller(peer: str, forwarded: str | None, *proxies: str) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    with Flask("any").test_request_context(headers=headers, environ_base={"REMOTE_ADDR": peer}):
        return str(client_address.caller([ip_network(proxy) for proxy in proxies]))


@pytest.mark.statement(10)
@pytest.mark.parametrize("forwarded", [None, "", "203.0.113.9", "10.0.0.1, 203.0.113.9"])
@pytest.mark.parametrize("proxies", [[], ["192.0.2.0/24"], ["203.0.113.9/32"]])
def test_a_peer_that_is_no_trusted_proxy_speaks_for_itself(
    forwarded: str | None, proxies: Sequence[str]
) -> None:
    assert caller("10.0.0.1", forwarded, *proxies) == "10.0.0.1"


@pytest.mark.statement(10)
@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9, 10.9.9.9", "203.0.113.9"),
        ("nonsense, 203.0.113.9 ,\t10.9.9.9 ", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("203.0.113.9, 10.9.9.9:80", "203.0.113.9"),
        ("2001:db8::9", "2001:db8::9"),
        ("[2001:db8::9]", "2001:db8::9"),
        ("[2001:DB8::9]:4711", "2001:db8::9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, [::ffff:10.9.9.9]:80", "203.0.113.9"),
    ],
)
def test_behind_trusted_proxies_it_is_the_first_stranger_from_the_right(
    forwarded: str, found: str
) -> None:
    for peer in ("10.0.0.1", "::ffff:10.0.0.1"):
        assert caller(peer, forwarded, "10.0.0.0/8") == found


@pytest.mark.statement(10)
@pytest.mark.parametrize(
    "forwarded",
    [
        None,
        "",
        " ",
        ",",
        "10.9.9.9",
        "203.0.113.9,",
        "203.0.113.9, unknown",
        "203.0.113.9, nonsense, 10.9.9.9",
        "203.0.113.09",
        "203.0.113.9:port",
        "[203.0.113.9",
        "٢٠٣.0.113.9",
        "4711",
    ],
)
def test_a_list_that_names_no_stranger_counts_for_nothing(forwarded: str | None) -> None:
    assert caller("10.0.0.1", forwarded, "10.0.0.0/8") == "10.0.0.1"


@pytest.mark.statement(10)
def test_no_other_module_looks_at_what_a_proxy_says() -> None:
    """Neither at the header, nor through what Werkzeug or waitress make of it."""
    told = re.compile(r"x.forwarded|\.access_route|proxyfix|trusted_proxy\b", re.IGNORECASE)
    package = ROOT / "otp_service"
    looking = {path.name for path in package.rglob("*.py") if told.search(path.read_text())}
    assert looking == {"client_address.py"}


@pytest.mark.statement(10)
@pytest.mark.parametrize("proxies", ["", "127.0.0.1"])
def test_limits_of_a_phone_hold_whatever_address_is_claimed(
    make_app: MakeApp, serve: Serve, proxies: str
) -> None:
    server = serve(make_app(TRUSTED_PROXIES=proxies))

    def call(path: str, number: int, **more: str) -> requests.Response:
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        return requests.post(f"{server.url}{path}", json=PHONE | more, headers=headers, timeout=20)

    sent = []
    for number in range(5):
        answer = call("/send-otp" if number % 2 == 0 else "/resend-otp", number)
        sent.append(answer.status_code)
        if number % 2:
            path = f"/verifications/{answer.json()['data']['verification_id']}"
            requests.delete(server.url + path, timeout=20)
    guessed = [call("/verify-otp", 10 + number, otp="000000") for number in range(6)]
    refused = call("/resend-otp", 99)
    assert sent == [200] * 5
    assert [guess.json()["error"]["code"] for guess in guessed][-1] == "too_many_attempts"
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "send_limit_exceeded")


@pytest.mark.statement(10, 16)
@pytest.mark.parametrize(
    ("proxies", "claims"),
    [
        ("", [({"X-Forwarded-For": "192.0.2.7"}, 403)]),
        ("198.51.100.1", [({"X-Forwarded-For": "192.0.2.7"}, 403)]),
        (
            "127.0.0.1, 10.0.0.0/8",
            [
                ({"X-Forwarded-For": "192.0.2.7"}, 200),
                ({"X-Forwarded-For": "203.0.113.9, 192.0.2.7"}, 200),
                ({"X-Forwarded-For": "192.0.2.7, 10.0.0.2"}, 200),
                ({"X-Forwarded-For": "192.0.2.7, 203.0.113.9"}, 403),
                ({"X-Forwarded-For": "192.0.2.7, unknown"}, 403),
                ({"Forwarded": "for=192.0.2.7", "X-Real-IP": "192.0.2.7"}, 403),
                ({"X_Forwarded_For": "192.0.2.7", "Client-IP": "192.0.2.7"}, 403),
            ],
        ),
    ],
)
def test_who_may_call_a_webhook_is_no_matter_of_what_is_claimed(
    make_app: MakeApp, serve: Serve, proxies: str, claims: list[tuple[dict[str, str], int]]
) -> None:
    settings = {"GUPSHUP_WEBHOOK_SECRET": SECRET, "GUPSHUP_WEBHOOK_IPS": "192.0.2.0/24"}
    server = serve(make_app(**settings, TRUSTED_PROXIES=proxies))
    url = f"{server.url}/webhooks/gupshup?token={SECRET}"
    for headers, status in claims:
        answer = requests.post(url, json=DELIVERED, headers=headers, timeout=20)
        assert answer.status_code == status, headers


@pytest.mark.statement(10)
def test_a_second_header_is_read_as_the_end_of_the_first(make_app: MakeApp, serve: Serve) -> None:
    settings = {"GUPSHUP_WEBHOOK_SECRET": SECRET, "GUPSHUP_WEBHOOK_IPS": "192.0.2.0/24"}
    server = serve(make_app(**settings, TRUSTED_PROXIES="127.0.0.1"))
    lines = b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n"
    head = b"GET /webhooks/gupshup-sms?token=" + SECRET.encode() + b" HTTP/1.1\r\nHost: x\r\n"
    assert statuses(exchange(server, head + lines + b"\r\n")) == [403]


# --- one request is one request ---

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
REQUEST = b"POST /send-otp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def smuggled() -> bytes:
    """What would send a message if it were executed."""
    body = json.dumps(PHONE).encode()
    return REQUEST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def sent_messages(server: LiveServer) -> list[Any]:
    inbox = requests.get(f"{server.url}/sandbox/messages", timeout=20).json()
    return list(inbox["data"]["messages"])


def assert_refused_and_closed(heard: bytes, name: str) -> None:
    """With one answer: what came behind was not read as another request."""
    assert statuses(heard) == [400], name
    assert json.loads(heard.partition(b"\r\n\r\n")[2])["error"]["code"] == "bad_request", name
    assert b"connection: close" in heard.lower(), name


@pytest.mark.statement(20)
def test_requests_that_can_be_read_in_two_ways_end_the_connection(live_server: LiveServer) -> None:
    for name, framing in AMBIGUOUS.items():
        heard = exchange(live_server, REQUEST + framing + b"\r\n\r\n0\r\n\r\n" + smuggled())
        assert_refused_and_closed(heard, name)
    assert sent_messages(live_server) == []


@pytest.mark.statement(20)
def test_http_1_0_has_no_chunks(live_server: LiveServer) -> None:
    old = REQUEST.replace(b"1.1", b"1.0") + b"Connection: keep-alive\r\n"
    heard = exchange(live_server, old + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled())
    assert statuses(heard) == [400]
    assert sent_messages(live_server) == []


@pytest.mark.statement(20)
@pytest.mark.parametrize("framing", [b"Content-Length: 5", b"Transfer-Encoding:\t chunked "])
def test_requests_that_are_plain_are_answered_one_after_the_other(
    live_server: LiveServer, framing: bytes
) -> None:
    heard = exchange(live_server, REQUEST + framing + b"\r\n\r\n0\r\n\r\n" + smuggled())
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
        heard = exchange(live_server, raw, each=None if at_once else 1)
        assert_refused_and_closed(heard, name)
    assert sent_messages(live_server) == []


@pytest.mark.statement(25)
def test_a_large_body_in_chunks_as_proxies_make_them_is_read(live_server: LiveServer) -> None:
    body = json.dumps(PHONE).encode() + b" " * 16_000
    pieces = [body[at : at + 64] for at in range(0, len(body), 64)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    raw = REQUEST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    assert statuses(exchange(live_server, raw)) == [200]


@pytest.mark.statement(28)
@pytest.mark.parametrize("each", [None, 1, 7])
def test_plain_chunks_are_read_however_they_arrive(
    live_server: LiveServer, each: int | None
) -> None:
    body = json.dumps(PHONE).encode()
    chunks = b"%x\r\n%b\r\n%X\r\n%b\r\n000\r\n\r\n" % (9, body[:9], len(body) - 9, body[9:])
    raw = REQUEST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    assert statuses(exchange(live_server, raw, each)) == [200]
    assert len(sent_messages(live_server)) == 1


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
        heard = exchange(live_server, head + smuggled(), each=None if at_once else 1)
        assert_refused_and_closed(heard, name)
    assert sent_messages(live_server) == []


@pytest.mark.parametrize("version", [b"2.0", b"0.9", b"1.2", b"9.9"])
def test_other_versions_of_http_are_said_not_to_be_spoken(
    live_server: LiveServer, version: bytes
) -> None:
    raw = b"GET /health HTTP/%b\r\nHost: x\r\n\r\n" % version
    assert statuses(exchange(live_server, raw)) == [505]


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
            assert statuses(exchange(live_server, head, each)) == [200], head


@pytest.mark.statement(20)
def test_waitress_is_a_release_without_known_holes_and_reads_nothing_ahead(app: Flask) -> None:
    server = Server(app, listen("127.0.0.1", 0), threads=1)
    chosen = server._waitress.adj
    server._waitress.task_dispatcher.shutdown()
    server._waitress.close()
    assert tuple(map(int, version("waitress").split(".")[:3])) >= (3, 0, 2)
    assert chosen.channel_request_lookahead == 0
    assert chosen.trusted_proxy is None


# --- sizes ---


@pytest.mark.statement(18)
def test_a_large_body_is_413_however_it_comes(live_server: LiveServer) -> None:
    for size in (16 * 1024 + 1, 2 * 1024 * 1024):  # the application's limit, and the server's
        body = b" " * size
        whole = b"Content-Length: %d\r\n\r\n%b" % (size, body)
        chunked = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (size, body)
        for framed in (whole, chunked):
            heard = exchange(live_server, REQUEST + b"Connection: close\r\n" + framed)
            assert statuses(heard) == [413]
            assert json.loads(heard.partition(b"\r\n\r\n")[2])["error"]["code"] == "body_too_large"


@pytest.mark.statement(18)
@pytest.mark.parametrize("text", [b"[", b'{"a":', b'[{"a":'])
def test_json_a_hundred_thousand_deep_is_a_bad_request(make_app: MakeApp, text: bytes) -> None:
    client = make_app(GUPSHUP_WEBHOOK_SECRET=SECRET).test_client()
    raw = (text * 100_000)[: 250 * 1024]  # webhooks take so much; the three calls 16 KiB
    answer = client.post(f"/webhooks/gupshup?token={SECRET}", data=raw)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "invalid_json")
    sms = client.post(f"/webhooks/gupshup-sms?token={SECRET}", data=raw)
    assert sms.status_code == 200  # takes nearly-JSON, too, and finds no report in it
    otp = client.post("/send-otp", data=raw, content_type="application/json")
    assert otp.status_code == 413


@pytest.mark.parametrize(
    "headers", [b"X-Any: " + b"a" * 33_000 + b"\r\n", b"X-Any: a\r\n" * 4_000], ids=["one", "many"]
)
def test_headers_over_32_kib_are_refused(live_server: LiveServer, headers: bytes) -> None:
    heard = exchange(live_server, b"GET /health HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n")
    assert statuses(heard) == [431]
    assert json.loads(heard.partition(b"\r\n\r\n")[2])["error"]["code"] == "bad_request"


# --- webhooks ---


@pytest.mark.statement(16)
@pytest.mark.parametrize("path", ["/webhooks/gupshup", "/webhooks/gupshup-sms", "/webhooks/meta"])
def test_every_wrong_secret_gets_the_same_401(make_app: MakeApp, serve: Serve, path: str) -> None:
    real = {"META_APP_SECRET": SECRET, "META_VERIFY_TOKEN": SECRET, "OTP_EXPOSE_CODE": "off"}
    meta = {"META_ACCESS_TOKEN": "a", "META_PHONE_NUMBER_ID": "1", "META_TEMPLATE": "t"}
    server = serve(make_app(**real, **meta, GUPSHUP_WEBHOOK_SECRET=SECRET))
    wrong = ["", "x", SECRET[:-1], SECRET[1:], f"x{SECRET}", f"{SECRET}x", SECRET.upper()]
    heard = set()
    for secret in [*wrong, SECRET * 1000]:
        names = ("Authorization", "X-Hub-Signature-256", "X-API-Key")
        for name, kind in zip(names, ("Bearer ", "sha256=", ""), strict=True):
            header = f"{name}: {kind}{secret}\r\nConnection: close\r\n".encode()
            raw = b"POST %b HTTP/1.1\r\nHost: x\r\n%bContent-Length: 2\r\n\r\n{}" % (
                path.encode(),
                header,
            )
            heard.add(_without_what_varies(exchange(server, raw)))
    assert [statuses(each) for each in heard] == [[401]]


def _without_what_varies(heard: bytes) -> bytes:
    return re.sub(rb"(?m)^(X-Request-Id|Date): .*$", rb"\1", heard)


@pytest.mark.statement(16)
def test_a_webhook_never_verifies_anyone(make_app: MakeApp) -> None:
    client = make_app(GUPSHUP_WEBHOOK_SECRET=SECRET).test_client()
    sent = client.post("/send-otp", json=PHONE).get_json()["data"]
    known = {"otp": sent["otp"], "verification_id": sent["verification_id"], **PHONE}
    for word in ("delivered", "read", "verified", "success"):
        facts = {**known, "type": word, "gsId": sent["verification_id"], "id": sent["otp"]}
        event = {"type": "message-event", "status": "verified", "payload": facts, **known}
        answer = client.post(f"/webhooks/gupshup?token={SECRET}", json=event)
        assert (answer.status_code, answer.data) == (200, b"")
        batch = [{**known, "externalId": sent["verification_id"], "eventType": word.upper()}]
        assert client.post(f"/webhooks/gupshup-sms?token={SECRET}", json=batch).status_code == 200
    shown = client.get(f"/verifications/{sent['verification_id']}").get_json()["data"]
    assert (shown["status"], shown["attempts_remaining"]) == ("pending", 5)
    body = PHONE | {"otp": sent["otp"]}
    assert client.post("/verify-otp", json=body).get_json()["success"]


# --- headers of every response ---

PROTECTION = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def check_protection(headers: Any) -> None:
    assert {name: headers.get(name) for name in PROTECTION} == PROTECTION
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy.get("script-src", "'self'") == "'self'"
    assert {"camera=()", "geolocation=()", "payment=()"} <= set(
        headers["Permissions-Policy"].split(", ")
    )
    assert headers["X-Request-ID"]
    assert not {"Server", "X-Powered-By"} & set(headers.keys())


def test_every_answer_of_every_route_is_protected(app: Flask) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<[^>]*filename>", "sandbox.css", rule.rule)
        path = re.sub(r"<[^>]*>", "p0123456789abcdef", path)
        for method in ("GET", "POST", "DELETE", "OPTIONS", "HEAD", "TRACE"):
            check_protection(client.open(path, method=method).headers)


SAID_BY_THE_SERVER = {
    b"GET /health HTTP/1.1\r\nHost: x": 200,
    b"GET /sandbox HTTP/1.1\r\nHost: x": 200,
    b"GET /static/sandbox.css HTTP/1.1\r\nHost: x": 200,
    b"GET /nope HTTP/1.1\r\nHost: x": 404,
    b"BREW /health HTTP/1.1\r\nHost: x": 405,
    b"nonsense": 400,
    b"POST /send-otp HTTP/1.1\r\nHost: x\r\nContent-Length: many": 400,
    b"POST /send-otp HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000": 413,
    b"GET / HTTP/1.1\r\nX-Any: " + b"a" * 33_000: 431,
}


def test_so_is_what_the_server_says_by_itself(live_server: LiveServer) -> None:
    for raw, status in SAID_BY_THE_SERVER.items():
        heard = exchange(live_server, raw + b"\r\nConnection: close\r\n\r\n")
        lines = heard.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        assert statuses(heard) == [status]
        pairs = (line.partition(": ") for line in lines)
        check_protection(CaseInsensitiveDict({name: value for name, _, value in pairs}))


def test_a_failure_inside_is_protected_too(app: Flask, serve: Serve) -> None:
    def broken(*_: object) -> list[bytes]:
        raise RuntimeError("a canary")

    app.wsgi_app = broken  # type: ignore[method-assign, assignment]
    answer = requests.get(f"{serve(app).url}/health", timeout=20)
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "canary" not in answer.text
    check_protection(answer.headers)
