"""Headers that protect, on every response."""

from __future__ import annotations

import re
from typing import Any

import requests
from flask import Flask
from requests.structures import CaseInsensitiveDict

from tests.conftest import LiveServer, Serve
from tests.security.raw_http import raw_responses, statuses

PROTECTION = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def check_protection(headers: Any) -> None:
    assert {name: headers.get(name) for name in PROTECTION} == PROTECTION
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy.get("script-src", "'self'") == "'self'"
    assert {"camera=()", "geolocation=()", "payment=()"} <= set(
        headers["Permissions-Policy"].split(", ")
    )
    assert headers["X-Request-ID"]
    assert not {"Server", "X-Powered-By"} & set(headers.keys())


def test_every_answer_of_every_route_is_protected(app: Flask) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<[^>]*filename>", "sandbox.css", rule.rule)
        path = re.sub(r"<[^>]*>", "p0123456789abcdef", path)
        for method in ("GET", "POST", "DELETE", "OPTIONS", "HEAD", "TRACE"):
            headers = client.open(path, method=method).headers
            check_protection(headers)
            assert sorted(headers.keys()) == sorted(set(headers.keys())), "each once"


SAID_BY_THE_SERVER = {
    b"GET /health HTTP/1.1\r\nHost: x": 200,
    b"GET /sandbox HTTP/1.1\r\nHost: x": 200,
    b"GET /static/sandbox.css HTTP/1.1\r\nHost: x": 200,
    b"GET /nope HTTP/1.1\r\nHost: x": 404,
    b"BREW /health HTTP/1.1\r\nHost: x": 405,
    b"nonsense": 400,
    b"POST /send-otp HTTP/1.1\r\nHost: x\r\nContent-Length: many": 400,
    b"POST /send-otp HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000": 413,
    b"GET / HTTP/1.1\r\nX-Any: " + b"a" * 33_000: 431,
}


def test_so_is_what_the_server_says_by_itself(live_server: LiveServer) -> None:
    for raw, status in SAID_BY_THE_SERVER.items():
        heard = raw_responses(live_server, raw + b"\r\nConnection: close\r\n\r\n")
        lines = heard.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        assert statuses(heard) == [status]
        pairs = (line.partition(": ") for line in lines)
        check_protection(CaseInsensitiveDict({name: value for name, _, value in pairs}))


def test_a_failure_inside_is_protected_too(app: Flask, serve: Serve) -> None:
    def broken(*_: object) -> list[bytes]:
        raise RuntimeError("a canary")

    app.wsgi_app = broken  # type: ignore[method-assign, assignment]
    answer = requests.get(f"{serve(app).url}/health", timeout=20)
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "canary" not in answer.text
    check_protection(answer.headers)
