"""Bodies and heads that are too large, however they come."""

from __future__ import annotations

import json

import pytest

from tests.conftest import LiveServer, MakeApp
from tests.security.raw_http import REQUEST, SECRET, raw_responses, statuses


@pytest.mark.statement(18)
def test_a_large_body_is_413_however_it_comes(live_server: LiveServer) -> None:
    for size in (16 * 1024 + 1, 2 * 1024 * 1024):  # the application's limit, and the server's
        body = b" " * size
        whole = b"Content-Length: %d\r\n\r\n%b" % (size, body)
        chunked = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (size, body)
        for framed in (whole, chunked):
            heard = raw_responses(live_server, REQUEST + b"Connection: close\r\n" + framed)
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
    heard = raw_responses(live_server, b"GET /health HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n")
    assert statuses(heard) == [431]
    assert json.loads(heard.partition(b"\r\n\r\n")[2])["error"]["code"] == "bad_request"
