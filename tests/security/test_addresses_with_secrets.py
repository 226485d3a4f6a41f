"""No secret is in what an administrator may read: neither on a page, nor in a line of a log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest
import requests
from flask import Flask
from werkzeug.serving import make_server

from otp_service.delivery.provider import masked_url
from otp_service.settings import settings_of
from tests.conftest import MakeApp

pytestmark = pytest.mark.statement(31)
CANARY = "c4nary-w0rd"
GUPSHUP = {
    "GUPSHUP_API_KEY": "k" * 20,
    "GUPSHUP_SOURCE": "917834811114",
    "GUPSHUP_TEMPLATE_ID": "t",
    "GUPSHUP_SRC_NAME": "DemoApp",
}
META = {"META_ACCESS_TOKEN": "a" * 20, "META_PHONE_NUMBER_ID": "158072934", "META_TEMPLATE": "t"}
SMS = {
    "GUPSHUP_SMS_USERID": "2000000000",
    "GUPSHUP_SMS_PASSWORD": "p" * 20,
    "GUPSHUP_SMS_TEXT": "{code} is your code",
}


@pytest.mark.parametrize(
    "address",
    [
        f"https://user:{CANARY}@host.example/path",
        f"https://{CANARY}@host.example/path",
        f"https://{CANARY}:@host.example/path",
        f"https://host.example/path?token={CANARY}",
        f"https://host.example/path?{CANARY}",
        f"https://host.example/path?a=b&key={CANARY}#{CANARY}",
        f"https://host.example/path?{CANARY.replace('-', '=')}{CANARY}",
        f"https://[::1/{CANARY}",
    ],
)
def test_an_address_is_shown_without_what_is_secret_in_it(address: str) -> None:
    assert CANARY not in masked_url(address)
    assert ("host.example/path" in masked_url(address)) == ("host" in address)


def test_one_without_secrets_is_shown_as_it_is() -> None:
    address = "https://api.gupshup.io/wa/api/v1/template/msg"
    assert masked_url(address) == address


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (GUPSHUP, "GUPSHUP_API_URL"),
        (META, "META_API_URL"),
        (GUPSHUP | SMS, "GUPSHUP_SMS_API_URL"),
    ],
)
def test_no_debug_page_shows_it_and_no_line_of_the_log(
    make_app: MakeApp, settings: dict[str, str], name: str
) -> None:
    url = f"https://user:{CANARY}@127.0.0.1:1/path"
    app = make_app(**settings, **{name: url}, API_KEYS="off", OTP_EXPOSE_CODE="off")
    for path in ("/debug/whatsapp", "/debug/test-request"):
        answer = app.test_client().get(path)
        assert answer.status_code == 200
        assert CANARY not in answer.text
    assert "127.0.0.1:1/path" in app.test_client().get("/debug/whatsapp").text
    assert CANARY in settings_of(app).redacted


@pytest.fixture
def development(app: Flask) -> Iterator[str]:
    """As `flask run` serves it."""
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


def test_the_development_servers_lines_have_no_query(
    development: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    paths = [f"/webhooks/gupshup?token={CANARY}", f"/nope?a=b%20HTTP/1.1%20{CANARY}", "/health"]
    for path in paths:
        requests.get(development + path, timeout=20)
    lines = [record.getMessage() for record in caplog.records if record.name == "werkzeug"]
    assert len([line for line in lines if "GET /" in line]) == len(paths)
    assert CANARY not in "".join(lines)
    assert any("/webhooks/gupshup?… HTTP/1.1" in line for line in lines)
