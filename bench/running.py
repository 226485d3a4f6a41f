"""Servers that are measured: started, found healthy, stopped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from bench import processes

ROOT = Path(__file__).parent.parent
START_SECONDS = 30


class Broken(Exception):
    """Why a server could not be measured, for people."""


@dataclass(frozen=True)
class Running:
    """A server: its port, its first process, and the seconds until it answered."""

    port: int
    pid: int
    start: float

    @property
    def cpu(self) -> float:
        return processes.cpu_seconds(self.pid)

    @property
    def memory(self) -> float:
        """MiB, of its largest process."""
        return processes.memory_mib(self.pid)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(
    arguments: list[str], port: int, environ: Mapping[str, str], log: Path
) -> Iterator[Running]:
    """`python ARGUMENTS`, for as long as it is needed; what it writes goes to ``log``."""
    with log.open("ab") as lines:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=environ, stdout=lines, stderr=lines
        )
        try:
            _wait_until_healthy(process, port, log)
            yield Running(port, process.pid, time.perf_counter() - began)
        finally:
            _stop(process)


def _wait_until_healthy(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if _is_healthy(port):
            return
        time.sleep(0.01)
    said = log.read_text(errors="replace")[-2000:]
    raise Broken(f"a server did not come up; it said: {said}")


def _is_healthy(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def floor(kind: str, log: Path, database: str | None = None) -> Iterator[Running]:
    """One of `bench.floor`: flask, floor or sqlite."""
    port = free_port()
    arguments = ["-m", "bench.floor", kind, str(port), *([database] if database else [])]
    with running(arguments, port, os.environ, log) as server:
        yield server
