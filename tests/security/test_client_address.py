"""Whose request it is: addresses that lie."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path

import pytest
import requests
from flask import Flask

from otp_service.web import client_address
from tests.conftest import MakeApp, Serve
from tests.security.raw_http import PHONE, SECRET, raw_responses, statuses

ROOT = Path(__file__).parent.parent.parent
DELIVERED = {"type": "message-event", "payload": {"gsId": "m1", "type": "delivered"}}


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
    assert statuses(raw_responses(server, head + lines + b"\r\n")) == [403]
