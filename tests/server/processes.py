"""`python wsgi.py` in a process of its own, as an operator starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.conftest import SECRET
from tests.faults.loopback import free_port
from tests.faults.processes import PATIENCE
from tests.faults.waiting import until

ROOT = Path(__file__).parents[2]
PHONE = {"phone_number": "+919876543210"}
Start = Callable[..., tuple[subprocess.Popen[str], str]]


def wait_until_healthy(process: subprocess.Popen[str], url: str) -> None:
    def is_healthy() -> bool:
        try:
            return requests.get(f"{url}/health", timeout=PATIENCE).ok
        except requests.RequestException:
            assert process.poll() is None, process.communicate()[1]
            return False

    until(is_healthy, PATIENCE)


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
        process.communicate(timeout=PATIENCE)


def wsgi(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "wsgi.py", *arguments],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
