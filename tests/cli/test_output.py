"""What a command shows where nobody reads, or nothing can be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from flask import Flask

from tests.cli.helpers import ROOT
from tests.conftest import SECRET


def test_a_reader_that_leaves_early_sees_no_traceback(app: Flask) -> None:
    for _ in range(40):
        app.test_cli_runner().invoke(args=["otp", "why", "+919876543210"])
    url = app.config["SQLALCHEMY_BINDS"][None]["url"]
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "otp", "audit"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "OTP_SECRET": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 1


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["keys list", "audit", "keys create shop"])
def test_a_disk_that_is_full_is_told_in_a_line(
    database_url: str, command: str, unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)  # empty is as if it were not set
    with Path("/dev/full").open("w") as full:
        done = run_with(database_url, command, stdout=full)
    assert done.returncode == 1
    assert done.stderr == "Error: what it shows can't be written: No space left on device\n"


def test_a_key_that_could_not_be_shown_is_in_the_audit_trail(database_url: str) -> None:
    with Path("/dev/full").open("w") as full:
        run_with(database_url, "keys create shop", stdout=full)
    assert "key.created" in run_with(database_url, "audit", stdout=subprocess.PIPE).stdout


def test_no_key_is_made_that_nobody_would_see(database_url: str) -> None:
    script = f"{sys.executable} -m otp_service keys create shop >&-"
    done = run_with(database_url, script, stdout=None, shell=True)
    assert done.returncode == 1
    assert done.stderr == "Error: there is no standard output to show the key on\n"


def run_with(
    database_url: str, command: str, *, stdout: int | IO[str] | None, shell: bool = False
) -> subprocess.CompletedProcess[str]:
    own = {"DATABASE_URL": database_url, "FALLBACK_DATABASE_URL": "off", "OTP_SECRET": SECRET}
    return subprocess.run(
        command if shell else [sys.executable, "-m", "otp_service", *command.split()],
        check=False,
        cwd=ROOT,
        env=os.environ | own,
        shell=shell,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )
