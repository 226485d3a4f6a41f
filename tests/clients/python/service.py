"""What the tests of the client call, and the time they have."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from otp_client import OtpClient
from otp_service.simulator import Simulator
from tests.delivery.misbehaving import Server, http

SENT = {
    "verification_id": "s0123456789abcdef0123456789abcdef",
    "phone_number": "+919876543210",
    "purpose": "login",
    "status": "pending",
    "channel": "whatsapp",
    "expires_at": "2026-11-22T17:30:49.125Z",
    "expires_in": 180,
    "attempts_remaining": 5,
    "sends_remaining": 4,
    "resend_after": 0,
}


@dataclass(frozen=True)
class Service:
    """The real one. ``keys`` are API keys by the name of their client; ``reader`` may only look."""

    url: str
    app: Flask
    simulator: Simulator
    keys: dict[str, str]

    def code(self, phone: str) -> str:
        """What the phone shows."""
        code = self.simulator.last_code(phone)
        assert code
        return code


@dataclass
class Clock:
    """Time that goes by only while somebody sleeps."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def client(self, url: str, key: str | None = None, **options: float) -> OtpClient:
        return OtpClient(url, key, clock=self, sleep=self.sleep, **options)


def says(status: str = "200 OK", data: object = None, **headers: str) -> bytes:
    """A success, with the data of a send unless it says otherwise."""
    body = {"success": True, "message": "OTP sent successfully", "data": data or SENT}
    return http(json.dumps(body).encode(), status, **headers)


def refuses(status: str, code: str, data: object = None, **headers: str) -> bytes:
    body = {"success": False, "message": "No", "data": data or {}, "error": {"code": code}}
    return http(json.dumps(body).encode(), status, **headers)


def hang_up(sock: socket.socket, over: threading.Event) -> None:
    """The connection is lost before there is an answer."""
    sock.shutdown(socket.SHUT_RDWR)


def url_of(server: Server) -> str:
    return server.url.partition("/wa/")[0]


def header(request: bytes, name: str) -> str | None:
    """Of a request as it came."""
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    named = (line.partition(": ") for line in lines)
    return next((value for each, _, value in named if each.lower() == name.lower()), None)


def keys(server: Server) -> Sequence[str | None]:
    """The idempotency key of each request."""
    return [header(request, "Idempotency-Key") for request in server.requests]


def body(request: bytes) -> dict[str, Any]:
    return dict(json.loads(request.partition(b"\r\n\r\n")[2]))


def passed_on(url: str, request: bytes) -> bytes:
    """What the service there answers to a request that came here."""
    host, _, port = url.removeprefix("http://").partition(":")
    alone = request.replace(b"Connection: keep-alive", b"Connection: close")
    answer = b""
    with socket.create_connection((host, int(port))) as there:
        there.sendall(alone)
        while piece := there.recv(65536):
            answer += piece
    return answer
