"""What is refused before the application sees it has the envelope, too."""

from __future__ import annotations

import json
import socket
from types import SimpleNamespace

import pytest

from otp_service.server.connection import Channel
from tests.conftest import LiveServer


@pytest.mark.statement(18, 20)
@pytest.mark.parametrize(
    ("request_text", "status", "code"),
    [
        (
            b"POST /send-otp HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n",
            413,
            "body_too_large",
        ),
        (b"POST /send-otp HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", 400, "bad_request"),
    ],
)
def test_what_waitress_refuses_has_the_envelope_too(
    live_server: LiveServer, request_text: bytes, status: int, code: str
) -> None:
    host, port = live_server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(request_text)
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"x-request-id:" in head.lower()
    assert json.loads(body)["error"]["code"] == code


@pytest.mark.parametrize(
    ("path", "waits"),
    [
        ("/send-otp", True),
        ("/resend-otp", True),
        ("/messages", True),
        ("/twilio/v2/Services/VA0/Verifications", True),
        ("/twilio/v2/Services/VA0/Verifications/VE0", False),
        ("/twilio/v2/Services/VA0/VerificationCheck", False),
        ("/verify-otp", False),
    ],
)
def test_what_may_wait_for_a_provider_is_known_by_its_path(path: str, waits: bool) -> None:
    request = SimpleNamespace(path=path)
    assert Channel.is_send.fget(SimpleNamespace(requests=[request])) is waits  # type: ignore[attr-defined]
