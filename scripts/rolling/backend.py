"""A backend's calls: on a kept connection, repeated under their key when an answer is lost."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

from scripts.rolling.tally import Phase, Tally

TIMEOUT = 30.0
PATIENCE = 60.0  # seconds, for repeats of one request
PAUSE = 0.2  # seconds between them
_ASK_AGAIN = ("idempotency_in_progress", "delivery_unconfirmed")


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]

    @property
    def code(self) -> str:
        """``ok``, or the error's."""
        return "ok" if self.body.get("success") else str(self.body.get("error", {}).get("code"))


class Lost(Exception):
    """No answer of the service's, and why."""


class Backend:
    """One thread's, which calls the proxy."""

    def __init__(self, port: int, key: str, tally: Tally) -> None:
        self._port, self._tally = port, tally
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._connection = self._new_connection()

    def call(self, path: str, expected: str, **body: str) -> Answer:
        """With a key of its own. What was lost is asked again until it is known."""
        phase, key = self._tally.now, str(uuid.uuid4())
        until, was_lost = time.monotonic() + PATIENCE, False
        while time.monotonic() < until:
            try:
                answer = self._ask(path, body, key, phase)
            except Lost as lost:
                self._tally.lost(f"{path}: {lost}")
                was_lost = True
            else:
                if not (was_lost and answer.code in _ASK_AGAIN):
                    break
            time.sleep(PAUSE)
        else:
            answer = Answer(0, {})
        if answer.code != expected:
            self._tally.wrong(phase, f"{path}: {answer.status} {answer.code}, not {expected}")
        return answer

    def _ask(self, path: str, body: dict[str, str], key: str, phase: Phase) -> Answer:
        began, headers = time.monotonic(), self._headers | {"Idempotency-Key": key}
        try:
            self._connection.request("POST", path, json.dumps(body), headers)
            response = self._connection.getresponse()
            status, text = response.status, response.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            self._connection = self._new_connection()
            raise Lost(type(error).__name__) from None
        finally:
            self._tally.answered(phase, 1000 * (time.monotonic() - began))
        try:
            return Answer(status, json.loads(text))
        except ValueError:
            raise Lost(f"{status} of the proxy") from None

    def _new_connection(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT)
