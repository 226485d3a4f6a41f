"""The simulated provider, whose answers take as long as a test wants."""

from __future__ import annotations

import json
import os
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from scripts.rolling.program import Program
from scripts.rolling.replicas import ROOT

KEEP = 100_000  # messages; more than any run sends


def start(port: int, callback_port: int, secret: str, log: Path) -> Program:
    """Its receipts go through the proxy, too."""
    url = f"http://127.0.0.1:{callback_port}/webhooks/gupshup"
    options = {"port": port, "keep": KEEP, "delay": 0.5, "callback-url": url}
    options |= {"callback-secret": secret}
    return Program(
        ["-m", "otp_service.simulator", "--no-number-faults"]
        + [f"--{name}={value}" for name, value in options.items()],
        folder=ROOT,
        environ=os.environ,
        port=port,
        path="/simulator/messages",
        log=log,
    )


class Inbox:
    """What arrived, and how long it is to take."""

    def __init__(self, port: int) -> None:
        self._port = port

    def take(self, seconds: float, phone: str) -> None:
        """For each of this phone's next two messages."""
        fault = {"destination": phone, "answer": f"stall:{seconds:.3f}", "next": 2}
        self._call("POST", "/simulator/script", {"faults": [fault]})

    def code(self, phone: str) -> str:
        """What the phone shows; empty if nothing came."""
        messages = self.messages(phone)
        return str(messages[-1]["code"]) if messages else ""

    def messages(self, phone: str = "") -> list[dict[str, Any]]:
        query = f"?phone={phone.lstrip('+')}" if phone else ""
        found: list[dict[str, Any]] = self._call("GET", f"/simulator/messages{query}")["messages"]
        return found

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request(method, path, body and json.dumps(body))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()
