"""Who gets the receipts: a server on the loopback interface that keeps what it was sent."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class ReceivedCallback:
    """One callback, as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    at: float  # Unix time

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def event(self) -> dict[str, Any]:
        """The payload of Gupshup's version 2."""
        payload: dict[str, Any] = self.json["payload"]
        return payload

    @property
    def status(self) -> dict[str, Any]:
        """The status of Meta's envelope."""
        status: dict[str, Any] = self.json["entry"][0]["changes"][0]["value"]["statuses"][0]
        return status

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))


class Receiver:
    """``answers``: statuses for the first callbacks, then 200. ``body``: what else it says."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/webhook"
        self.answers: list[int] = []
        self.body = b""
        self.callbacks: list[ReceivedCallback] = []
        self.answering = threading.Event()  # while it is cleared, callbacks wait for their answer
        self.answering.set()

    @property
    def types(self) -> list[str]:
        return [callback.event["type"] for callback in self.callbacks]


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # with the usual 5, many callbacks at once are refused
    daemon_threads = True


@contextmanager
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept.callbacks.append(
                ReceivedCallback(self.command, self.path, dict(self.headers), body, time.time())
            )
            kept.answering.wait(60)
            self.send_response(kept.answers.pop(0) if kept.answers else 200)
            self.send_header("Content-Length", str(len(kept.body)))
            self.end_headers()
            self.wfile.write(kept.body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        kept = Receiver(server.server_port)
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield kept
        server.shutdown()
