"""A receiver of events as a developer would write one, on the loopback interface."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

Answer = Callable[[], int]


class Receiver:
    """``verified`` are the events whose signature holds with ``secret``, ``refused`` counts others.

    ``answer`` says with which status each request is answered; it may take its time. ``ids`` are
    those of ``verified``, in the order in which they came.
    """

    def __init__(self) -> None:
        self.secret = ""
        self.answer: Answer = lambda: 204
        self.verified: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.refused = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/events"

    def types(self, of: str | None = None) -> list[str]:
        """Of what came, in order; of one verification or message, or of all."""
        found = [each for each in list(self.verified) if of in (None, *_ids(each))]
        return [str(each["type"]) for each in found]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _take(self, headers: dict[str, str], body: str) -> int:
        try:
            event = Webhook(self.secret).verify(body, headers)
        except Exception:  # whatever the library raises
            self.refused += 1
            return 401
        self.verified.append(event)
        self.ids.append(headers["webhook-id"])
        return self.answer()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                self.send_response(take(dict(self.headers), body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        return Handler


def _ids(event: dict[str, Any]) -> list[str]:
    return [event["data"].get(name) for name in ("verification_id", "message_id")]


@contextmanager
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()
