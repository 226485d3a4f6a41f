"""`./otp` itself, and `make run` before it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.helpers import ROOT
from tests.conftest import SECRET


@pytest.fixture
def otp(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The executable, through a link to a link to it, from a folder of its own."""
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "first").symlink_to(ROOT / "otp")
    (tmp_path / "links" / "second").symlink_to("first")
    (tmp_path / "here").mkdir()

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        own = {"DATABASE_URL": f"sqlite:///{tmp_path}/otp.db", "OTP_SECRET": SECRET, "PATH": path}
        return subprocess.run(
            [tmp_path / "links" / "second", *arguments],
            cwd=tmp_path / "here",
            env=os.environ | own | settings,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_the_executable_works_from_any_folder_and_through_links(
    otp: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    assert otp("init-db").stdout == "The schema is up to date (sqlite).\n"
    assert otp("why", "+91 98765 43210").returncode == 0
    entries = otp("audit", "--json", "--phone", "+91 98765 43210").stdout
    assert '"action": "phone.explained"' in entries
    assert list((tmp_path / "here").iterdir()) == []


def test_the_executable_passes_on_how_a_command_ended(
    otp: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    away = otp("init-db", DATABASE_URL="postgresql://otp@127.0.0.1:1/otp?sslmode=disable")
    assert away.returncode == 75
    wrong = otp("audit", OTP_LENGTH="99")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("Error: the configuration has 1 problem:\n  - OTP_LENGTH")
    assert otp("bogus").returncode == 2
    told = otp("check", "--help", OTP_LENGTH="99")  # help is there for who gets it wrong
    assert told.stdout.startswith("Usage: otp check [OPTIONS]")


def test_the_first_make_run_shows_what_it_does(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.txt"):
        (tmp_path / name).symlink_to(ROOT / name)
    told = subprocess.run(
        ["make", "-n", "run"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert "Installing into it what requirements.txt lists" in told
    assert "--quiet" not in told
