"""What is at the root."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.conftest import MakeApp

REAL = {
    "GUPSHUP_API_KEY": "a-key-of-gupshups",
    "GUPSHUP_SOURCE": "917834811114",
    "GUPSHUP_TEMPLATE_ID": "c6aecef6-bcb0-4fb1-8100-28c094e3bc6b",
    "GUPSHUP_SRC_NAME": "DemoApp",
    "OTP_SECRET": "0123456789abcdef" * 4,
}


def test_in_the_sandbox_it_is_a_page_with_the_calls_to_copy(app: Flask) -> None:
    page = app.test_client().get("/")
    assert page.mimetype == "text/html"
    assert 'curl -X POST "http://localhost/send-otp"' in page.text
    assert '{"phone_number": "+1234567890", "otp": "123456"}' in page.text.replace("&#34;", '"')
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]


def test_with_a_real_sender_it_says_where_the_documentation_is(make_app: MakeApp) -> None:
    client = make_app(**REAL).test_client()
    answer = client.get("/")
    assert answer.get_json() == {
        "service": "WhatsApp OTP API",
        "documentation": "/docs",
        "openapi": "/openapi.json",
        "health": "/health",
    }
    for name in ("documentation", "openapi", "health"):
        assert client.get(answer.get_json()[name]).status_code == 200


@pytest.mark.parametrize("host", ['"><script>alert(1)</script>', "a b", "evil'onclick='x"])
def test_a_host_that_is_none_is_not_written_into_the_page(app: Flask, host: str) -> None:
    page = app.test_client().get("/", headers={"Host": host})
    assert "<script>alert" not in page.text
    assert "onclick='x" not in page.text
