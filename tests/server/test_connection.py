"""What is refused before the application sees it has the envelope, too."""

from __future__ import annotations

import json
import socket

import pytest

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
