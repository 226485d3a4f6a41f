"""The tour of the README, by its script."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.conftest import LiveServer
from tests.system import need_program

SCRIPT = Path(__file__).parent.parent / "scripts" / "smoke.sh"


@pytest.fixture(autouse=True)
def curl() -> None:
    need_program("curl", package="curl")


def test_the_tour_finds_no_surprise_twice_in_a_row(live_server: LiveServer) -> None:
    for _ in range(2):
        done = subprocess.run(
            [SCRIPT, live_server.url], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "FAIL" not in done.stdout


def test_the_tour_fails_where_there_is_no_server() -> None:
    done = subprocess.run(
        [SCRIPT, "http://127.0.0.1:1"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "Start one with: make run" in done.stderr
