"""Servers in processes of their own, which a test may kill, and what they told Gupshup."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from typing_extensions import Self

from tests.faults.loopback import LOOPBACK, free_port
from tests.faults.service import Answer, Caller
from tests.faults.waiting import until

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 60  # seconds for a start that takes one or two on an idle machine


class Server(Caller):
    """`python wsgi.py`, called over HTTP with a caller's short words; there is no ``app``.

    Its log is the test's own standard error.
    """

    checkout = ROOT

    def __init__(self, **settings: str) -> None:
        port = free_port()
        self.url = f"http://{LOOPBACK}:{port}"
        self.headers: dict[str, str] = {}
        self._environ = os.environ | {"PORT": str(port)} | settings
        self._process = self._begin()

    def _begin(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "wsgi.py"], cwd=self.checkout, env=self._environ)

    def start_again(self) -> None:
        """At the same address; return when it answers."""
        self._process = self._begin()
        until(self.is_up, PATIENCE)

    def call(self, method: str, path: str, body: dict[str, object] | None = None) -> Answer:
        response = requests.request(
            method, self.url + path, json=body, headers=self.headers, timeout=PATIENCE
        )
        return Answer.of(response.status_code, response.json(), response.headers.items())

    def is_up(self) -> bool:
        assert self._process.poll() is None, "the server ended instead of starting"
        try:
            return requests.get(f"{self.url}/health", timeout=PATIENCE).ok
        except requests.ConnectionError:
            return False

    def kill(self) -> None:
        """As a crash does it: nothing is finished, nothing is tidied up."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """It takes connections and does nothing any more: until it is killed."""
        self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)


class Servers:
    """Those that a test starts; with the given settings, unless it says otherwise."""

    def __init__(self, **settings: str) -> None:
        self._settings = settings
        self._all: list[Server] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._all:
            server.kill()

    def start(self, **settings: str) -> Server:
        (server,) = self.start_several(1, **settings)
        return server

    def start_several(self, count: int, **settings: str) -> list[Server]:
        """At the same moment; return when all of them answer."""
        servers = [Server(**self._settings | settings) for _ in range(count)]
        self._all += servers
        for server in servers:
            until(server.is_up, PATIENCE)
        return servers


def children(pid: int) -> set[int]:
    """The ids of the processes that this one has started and that have not been waited for."""
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def account(url: str) -> dict[str, str]:
    """Settings with a real sender, whose Gupshup is at ``url``."""
    return {
        "GUPSHUP_API_URL": url,
        "GUPSHUP_API_KEY": "k" * 20,
        "GUPSHUP_SOURCE": "917834811114",
        "GUPSHUP_TEMPLATE_ID": "t",
        "GUPSHUP_SRC_NAME": "DemoApp",
        "API_KEYS": "off",
    }


def at_once(times: int, call: Callable[[int], Answer], threads: int = 40) -> Counter[str]:
    """How often each answer was given to so many calls, as many at a time as there are threads."""
    with ThreadPoolExecutor(threads) as pool:
        return Counter(answer.code for answer in pool.map(call, range(times)))
