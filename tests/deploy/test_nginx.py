"""deploy/nginx/otp.conf in front of two replicas: who gets in, and by which way."""

from __future__ import annotations

import re
import ssl

import pytest
import requests

from otp_service.simulator import Simulator
from tests.deploy.conftest import MakeProxy
from tests.deploy.nginx import CONF, Nginx
from tests.faults.loopback import LOOPBACK
from tests.faults.processes import Server
from tests.faults.service import PHONE
from tests.scenarios.scene import SECRET

HTTPS = "https://localhost/"


def test_a_code_is_sent_and_checked_over_tls(proxy: Nginx, simulator: Simulator) -> None:
    assert proxy.send().status == 200
    code = simulator.last_code(PHONE)
    assert code
    assert proxy.verify(code).code == "ok"
    assert proxy.verify(code).code == "otp_not_found"


def test_an_answer_asks_for_tls_for_two_years(proxy: Nginx) -> None:
    for path in ("/health", "/metrics"):
        headers = proxy.request("GET", path).headers
        assert headers["Strict-Transport-Security"] == "max-age=63072000"


def test_a_page_over_plain_http_is_led_to_tls_and_a_call_fails(proxy: Nginx) -> None:
    plain = f"http://{LOOPBACK}:{proxy.plain}"
    page = requests.get(f"{plain}/docs", timeout=30, allow_redirects=False)
    assert (page.status_code, page.headers["Location"]) == (301, f"{HTTPS}docs")
    call = requests.post(f"{plain}/send-otp", json={"phone_number": PHONE}, timeout=30)
    assert (call.status_code, call.json()["error"]["code"]) == (403, "https_required")
    assert SECRET not in page.text + call.text


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")
def test_versions_before_tls_1_2_are_refused(proxy: Nginx) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with proxy.connect(minimum_version=version, maximum_version=version) as sock:
            assert sock.version() == version.name.replace("_", ".")
    with pytest.raises(ssl.SSLError):
        proxy.connect(
            minimum_version=ssl.TLSVersion.TLSv1,
            maximum_version=ssl.TLSVersion.TLSv1_1,
        )


def test_another_name_gets_no_certificate_and_no_answer(proxy: Nginx) -> None:
    with pytest.raises(ssl.SSLError):
        proxy.connect("another.example")
    told = proxy.said(b"GET /health HTTP/1.1\r\nHost: another.example\r\nConnection: close\r\n\r\n")
    assert told.startswith(b"HTTP/1.1 421")
    assert b"healthy" not in told


def test_what_a_stranger_writes_into_forwarded_headers_is_not_believed(
    proxy: Nginx, replicas: list[Server]
) -> None:
    """The webhook takes calls of 192.0.2.7 only, and the replicas believe whoever is in front."""
    event = {"app": "DemoApp", "type": "message-event", "payload": {}}
    spoofed = {"Authorization": f"Bearer {SECRET}", "X-Forwarded-For": "192.0.2.7"}
    direct = requests.post(
        f"{replicas[0].url}/webhooks/gupshup", json=event, headers=spoofed, timeout=30
    )
    assert direct.status_code == 200
    for more in ({}, {"Forwarded": "for=192.0.2.7"}, {"X-Real-IP": "192.0.2.7"}):
        told = proxy.request("POST", "/webhooks/gupshup", json=event, headers=spoofed | more)
        assert (told.status_code, told.json()["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    "path", ["/metrics", "//metrics", "/%6detrics", "/docs/../metrics", "/metrics?a=b"]
)
def test_metrics_are_not_for_the_outside(proxy: Nginx, path: str) -> None:
    told = proxy.said(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    )
    assert told.startswith(b"HTTP/1.1 404")
    assert b'"code": "not_found"' in told
    assert b"otp_http_requests_total" not in told


@pytest.mark.parametrize("path", ["/debug/whatsapp", "/debug/test-request", "/debug/"])
def test_debug_pages_are_not_for_the_outside(
    proxy: Nginx, replicas: list[Server], path: str
) -> None:
    assert requests.get(f"{replicas[0].url}/debug/whatsapp", timeout=30).status_code == 200
    assert proxy.request("GET", path).status_code == 404


def test_an_answer_of_nginx_is_in_the_services_envelope(proxy: Nginx) -> None:
    told = proxy.request("GET", "/metrics", headers={"X-Request-ID": "order-4711"})
    of_service = proxy.request("GET", "/nothing-here").json()
    assert told.json() == {
        "success": False,
        "message": of_service["message"],
        "data": {},
        "error": {"code": "not_found", "documentation": of_service["error"]["documentation"]},
    }
    assert told.headers["Content-Type"] == "application/json"
    assert told.headers["Cache-Control"] == "no-store"
    assert told.headers["X-Request-ID"] == "order-4711"
    assert proxy.request("GET", told.json()["error"]["documentation"]).status_code == 200


def test_the_callers_request_id_is_passed_on_and_a_bad_one_replaced(proxy: Nginx) -> None:
    kept = proxy.request("GET", "/health", headers={"X-Request-ID": "order-4711"})
    assert kept.headers["X-Request-ID"] == "order-4711"
    new = proxy.request("GET", "/health", headers={"X-Request-ID": "a b"}).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", new)


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/send-otp", 16 * 1024),
        ("/messages", 16 * 1024),
        ("/webhooks/gupshup", 256 * 1024),
        ("/webhooks/meta", 3 * 1024**2),
        ("/hooks/logto", 256 * 1024),
        (f"/twilio/v2/Services/VA{'0' * 32}/Verifications", 256 * 1024),
    ],
)
def test_a_body_may_be_as_large_as_the_service_takes_it(
    proxy: Nginx, path: str, limit: int
) -> None:
    """At the limit the service answers: who may not call, what is no JSON, what is not on."""
    taken = proxy.request("POST", path, data=b" " * limit)
    assert taken.status_code in (401, 403, 404, 415)
    too_large = proxy.request("POST", path, data=b" " * (limit + 1))
    assert (too_large.status_code, too_large.json()["error"]["code"]) == (413, "body_too_large")


def test_a_provider_can_reach_its_webhook(proxy_of: MakeProxy, replicas: list[Server]) -> None:
    """Whose address is the one that connects: here it is written into the file."""
    proxy = proxy_of(
        [each.url for each in replicas],
        **{"X-Forwarded-For $remote_addr": "X-Forwarded-For 192.0.2.7"},
    )
    event = {"app": "DemoApp", "type": "message-event", "payload": {}}
    told = proxy.request("POST", f"/webhooks/gupshup?token={SECRET}", json=event)
    assert told.status_code == 200
    handshake = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=a-verify-token"
    assert proxy.request("GET", f"/webhooks/meta?{handshake}").text == "1158201444"


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("192.0.2.7", None),
        ("2001:db8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2:"),
        ("2001:db8:1:2::1", "2001:db8:1:2:"),
        ("2001:db8::1", "2001:db8:"),
        ("2001:db8:1:2:3:4:5::", "2001:db8:1:2:"),
        ("fe80::aaaa:bbbb:cccc:dddd", "fe80:"),
    ],
)
def test_an_ipv6_address_counts_with_its_network(address: str, counts_as: str | None) -> None:
    patterns = re.findall(r'"~(.*\?<otp_net>.*)" \$otp_net;', CONF.read_text())
    assert len(patterns) == 2
    found = [re.match(each.replace("?<", "?P<"), address) for each in patterns]
    assert next((match["otp_net"] for match in found if match), None) == counts_as
