"""A backend that calls the service: a connection for each request, timed from end to end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from scripts.load.answers import LOST, Answer, Journal

TIMEOUT = 30.0  # far above what is promised: how late an answer was is to be seen
PAUSE = 0.5  # seconds before a request is repeated


class Caller:
    """At ``url`` with an API key ("" where none is required); the ``journal`` gets all answers."""

    def __init__(self, url: str, key: str, journal: Journal) -> None:
        self._at = urlsplit(url)
        self._headers = {"Content-Type": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self.journal = journal

    def post(self, what: str, path: str, body: dict[str, str], key: str = "") -> Answer:
        """Once; ``key`` is the request's Idempotency-Key."""
        return self._noted(what, "POST", path, body, {"Idempotency-Key": key} if key else {})

    def get(self, what: str, path: str) -> Answer:
        return self._noted(what, "GET", path, None, {})

    def _noted(
        self, what: str, method: str, path: str, body: dict[str, str] | None, more: dict[str, str]
    ) -> Answer:
        began = time.monotonic()
        try:
            status, replayed, answered = self._ask(method, path, body, more)
            code = "ok" if answered["success"] else answered["error"]["code"]
            data = answered.get("data") or {}
        except (OSError, HTTPException, ValueError, KeyError) as trouble:
            status, replayed, code, data = LOST, False, type(trouble).__name__, {}
        at = time.monotonic()
        answer = Answer(what, status, code, at - began, at, replayed, data)
        self.journal.note(answer)
        return answer

    def _ask(
        self, method: str, path: str, body: dict[str, str] | None, more: dict[str, str]
    ) -> tuple[int, bool, dict[str, Any]]:
        connection = HTTPConnection(self._at.hostname or "", self._at.port, timeout=TIMEOUT)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, self._headers | more)
            response = connection.getresponse()
            replayed = response.getheader("Idempotent-Replayed") == "true"
            return response.status, replayed, json.loads(response.read())
        finally:
            connection.close()


def until_clear(ask: Callable[[], Answer], patience: float) -> Answer:
    """What it answers in the end: repeated for so many seconds while it is unclear."""
    end = time.monotonic() + patience
    while (answer := ask()).is_unclear and time.monotonic() < end:
        time.sleep(PAUSE)
    return answer
