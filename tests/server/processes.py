"""`python wsgi.py` in a process of its own, as an operator starts it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.conftest import SECRET

ROOT = Path(__file__).parents[2]
PHONE = {"phone_number": "+919876543210"}
Start = Callable[..., tuple[subprocess.Popen[str], str]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_until_healthy(process: subprocess.Popen[str], url: str) -> None:
    for _ in range(200):
        try:
            requests.get(f"{url}/health", timeout=1).raise_for_status()
        except requests.RequestException:
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not come up")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`python wsgi.py` as an operator starts it."""
    processes: list[subprocess.Popen[str]] = []

    def run(**settings: str) -> tuple[subprocess.Popen[str], str]:
        port = free_port()
        own = {"DATABASE_URL": f"sqlite:///{tmp_path / 'otp.db'}", "OTP_SECRET": SECRET}
        process = subprocess.Popen(
            [sys.executable, "wsgi.py"],
            cwd=ROOT,
            env=os.environ | own | {"PORT": str(port)} | settings,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        url = f"http://127.0.0.1:{port}"
        wait_until_healthy(process, url)
        return process, url

    yield run
    for process in processes:
        process.terminate()
        process.communicate(timeout=30)


def wsgi(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "wsgi.py", *arguments],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
