"""What a request's path, query and headers hold is in no file that nginx writes."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import MakeApp
from tests.deploy.conftest import MakeProxy
from tests.deploy.nginx import CONF, Nginx
from tests.faults.gates import ending, gate, resetting, silent
from tests.faults.loopback import LOOPBACK, free_port
from tests.faults.waiting import until

PHONE = "919876501234"
CANARY = "c4n4ry-s3cr3t"
WEBHOOK = f"/webhooks/gupshup?token={CANARY}"
TWILIO = f"/twilio/v2/Services/VA{'0' * 32}/Verifications/+{PHONE}"
LIST = f"/verifications?phone_number=%2B{PHONE}"
PATHS = [WEBHOOK, TWILIO, LIST, f"/{PHONE}/{CANARY}", f"/verifications/{PHONE}"]


def garbled(client: socket.socket) -> None:
    client.recv(10_000)
    client.sendall(b"HTTP/1.1 200 OK\r\n\x00: no header\r\n\r\n")


@pytest.fixture(params=[ending, resetting, garbled], ids=lambda handle: handle.__name__)
def upstream(request: pytest.FixtureRequest) -> Iterator[str]:
    """A replica that does not answer as it should."""
    with gate(request.param) as port:
        yield f"http://{LOOPBACK}:{port}"


def logged(proxy: Nginx) -> list[dict[str, Any]]:
    """A line is written when the answer is out: perhaps a moment later."""
    return [json.loads(line) for line in (proxy.folder / "otp.log").read_text().splitlines()]


def assert_nothing_is_told(proxy: Nginx, *statuses: int) -> None:
    """And that it was logged at all: a line with each of these statuses."""
    until(lambda: set(statuses) <= {line["status"] for line in logged(proxy)})
    for path in filter(Path.is_file, proxy.folder.rglob("*")):
        text = path.read_text(errors="replace")
        assert PHONE not in text, path
        assert CANARY not in text, path


def test_an_ordinary_request(proxy: Nginx) -> None:
    for path in PATHS:
        told = {"Referer": path, "User-Agent": PHONE, "X-Request-ID": PHONE}
        proxy.request("POST", path, headers=told, json={"phone_number": PHONE})
    until(lambda: len(logged(proxy)) == len(PATHS))
    assert_nothing_is_told(proxy, 403, 404, 405)
    assert {"/twilio", "/verifications", "/verifications/{id}", "(none)"} <= {
        line["route"] for line in logged(proxy)
    }


def test_a_request_while_every_replica_is_away(proxy_of: MakeProxy) -> None:
    proxy = proxy_of([f"http://{LOOPBACK}:{free_port()}" for _ in range(2)])
    for path in PATHS:
        told = proxy.request("POST", path, data="x" * (100_000 if "webhooks" in path else 10))
        assert (told.status_code, told.json()["error"]["code"]) == (502, "unavailable")
        assert told.headers["Retry-After"] == "1"
    assert_nothing_is_told(proxy, 502)


def test_a_request_that_a_replica_does_not_answer(proxy_of: MakeProxy, upstream: str) -> None:
    proxy = proxy_of([upstream, upstream])
    for path in PATHS:
        assert proxy.request("POST", path).status_code == 502
    assert_nothing_is_told(proxy, 502)


def test_a_request_that_takes_too_long(proxy_of: MakeProxy) -> None:
    with gate(silent) as port:
        url = f"http://{LOOPBACK}:{port}"
        proxy = proxy_of([url, url], **{"proxy_read_timeout 60s": "proxy_read_timeout 100ms"})
        assert proxy.request("POST", WEBHOOK).status_code == 504
        assert_nothing_is_told(proxy, 504)


def test_a_caller_that_hangs_up(proxy_of: MakeProxy) -> None:
    head = f"POST {WEBHOOK} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
    with gate(silent) as port:
        url = f"http://{LOOPBACK}:{port}"
        proxy = proxy_of([url, url])
        for body in (b"x" * 50, b"x" * 100):
            with proxy.connect() as sock:
                sock.sendall(head.encode() + body)
        until(lambda: len(logged(proxy)) == 2)
        assert_nothing_is_told(proxy, 499)


@pytest.mark.parametrize(
    "head",
    [
        f"GET {WEBHOOK} HTTP/9.9\r\nHost: localhost\r\n\r\n",
        f"GET {WEBHOOK} HTTP/1.1\r\n\r\n",
        f"GET {WEBHOOK} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        f"GET {WEBHOOK} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {PHONE}x\r\n\r\n",
        f"G3T {WEBHOOK} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        f"GET {WEBHOOK}%00\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        f"GET /../..{WEBHOOK} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        f"GET {WEBHOOK} HTTP/1.1\r\nHost: localhost\r\nX: {'x' * 40_000}\r\n\r\n",
        f"GET {WEBHOOK}{'x' * 40_000} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        f"GET {WEBHOOK} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: {CANARY}\r\n\r\n",
    ],
    ids=lambda head: "",
)
def test_a_request_that_is_none(proxy: Nginx, head: str) -> None:
    told = proxy.said(head.encode())
    assert int(told.split()[1]) in {400, 404, 405, 414, 431, 501, 505}
    until(lambda: len(logged(proxy)) == 1)
    assert_nothing_is_told(proxy, int(told.split()[1]))


def test_plain_http_and_another_name(proxy: Nginx) -> None:
    plain = f"http://{LOOPBACK}:{proxy.plain}{WEBHOOK}"
    requests.get(plain, timeout=30, allow_redirects=False)
    requests.post(plain, timeout=30)
    requests.get(f"http://{LOOPBACK}:{proxy.tls}{WEBHOOK}", timeout=30)
    proxy.said(f"GET {WEBHOOK} HTTP/1.1\r\nHost: {CANARY}\r\nConnection: close\r\n\r\n".encode())
    assert_nothing_is_told(proxy, 301, 403, 400, 421)


def test_a_body_that_is_too_large(proxy: Nginx) -> None:
    for path in PATHS:
        assert proxy.request("POST", path, data=PHONE * 30_000).status_code == 413
    assert_nothing_is_told(proxy, 413)


def test_what_nginx_itself_refuses_is_logged_with_the_method_it_came_with(proxy: Nginx) -> None:
    for method in ("POST", "DELETE", "PATCH"):
        assert proxy.request(method, WEBHOOK, data="x" * 300_000).status_code == 413
    until(lambda: len(logged(proxy)) == 3)
    assert [line["method"] for line in logged(proxy)] == ["POST", "DELETE", "OTHER"]


def test_a_body_that_finds_no_room(proxy_of: MakeProxy, tmp_path: Path) -> None:
    """nginx would log it at "crit": that level is no help."""
    with gate(ending) as port:
        url = f"http://{LOOPBACK}:{port}"
        proxy = proxy_of([url, url], **{"client_body_buffer_size 3m": "client_body_buffer_size 1k"})
        (proxy.folder / "bodies").rmdir()
        told = proxy.request("POST", f"/webhooks/meta?token={CANARY}", data=b"x" * 100_000)
        assert (told.status_code, told.json()["error"]["code"]) == (500, "internal_error")
        assert_nothing_is_told(proxy, 500)


def test_more_requests_than_an_address_may_make(proxy_of: MakeProxy) -> None:
    with gate(ending) as port:
        url = f"http://{LOOPBACK}:{port}"
        once = {"rate=100r/s": "rate=1r/m", "burst=200": "burst=1"}
        proxy = proxy_of([url, url], **once)
        told = [proxy.request("POST", TWILIO).status_code for _ in range(4)]
        assert told[2:] == [429, 429]
        assert_nothing_is_told(proxy, 429)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("order-4711", "order-4711"),
        ("550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000"),
        (PHONE, "(masked)"),
        (f"order.{PHONE}", "(masked)"),
        (f"otp_{'k' * 43}", "(masked)"),
    ],
)
def test_a_request_id_is_logged_unless_it_may_be_a_phone_or_a_key(
    proxy: Nginx, given: str, told: str
) -> None:
    assert proxy.request("GET", "/health", headers={"X-Request-ID": given}).ok
    until(lambda: len(logged(proxy)) == 1)
    assert logged(proxy)[0]["request_id"] == told


def test_every_rule_of_the_service_has_its_name_in_the_log(make_app: MakeApp) -> None:
    block = CONF.read_text().partition("$otp_route {")[2].partition("}\n")[0]
    patterns = re.findall(r'^ *"~(.+)" \S+;$', block.replace("?<", "?P<"), re.MULTILINE)
    assert len(patterns) > 5
    rules = {re.sub("<.*?>", "a", rule.rule) for rule in make_app().url_map.iter_rules()}
    assert [rule for rule in rules if not any(re.match(each, rule) for each in patterns)] == []
