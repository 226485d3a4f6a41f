"""A request of Granian's (RSGI) as WSGI has it, and the application's answer."""

from __future__ import annotations

import sys
from io import BytesIO
from typing import Any

from flask import Flask

Answer = tuple[int, list[tuple[str, str]], bytes]

_ALWAYS = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
}
_WITHOUT_PREFIX = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


def environ(scope: Any, body: bytes) -> dict[str, Any]:
    """A header's name with an underscore is nobody's: it could pass for one with a hyphen."""
    server, _, port = scope.server.rpartition(":")
    made: dict[str, Any] = _ALWAYS | {
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
    }
    for name, value in scope.headers.items():
        if "_" not in name:
            key = _WITHOUT_PREFIX.get(name) or "HTTP_" + name.upper().replace("-", "_")
            made[key] = f"{made[key]}, {value}" if key in made else value
    return made


def call(app: Flask, environ: dict[str, Any]) -> Answer:
    """Status, headers and the whole body."""
    begun: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
        begun[:] = [(status, headers)]

    parts = app(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        if close := getattr(parts, "close", None):
            close()
    status, headers = begun[0]
    return int(status[:3]), headers, body
