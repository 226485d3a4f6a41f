"""HTTP as a stranger speaks it, byte by byte, and what comes back."""

from __future__ import annotations

import json
import re
import socket
from typing import Any

import requests

from tests.conftest import LiveServer

PHONE = {"phone_number": "+919876543210"}
SECRET = "a-webhook-secret-of-the-tests"


def raw_responses(server: LiveServer, raw: bytes, each: int | None = None) -> bytes:
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
