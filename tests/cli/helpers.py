"""The commands in a process of their own, with and without a terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.conftest import SECRET

ROOT = Path(__file__).parents[2]


PHONE = {"phone_number": "+919876543210"}


def flask(database_url: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    own = {"DATABASE_URL": database_url, "FALLBACK_DATABASE_URL": "off", "OTP_SECRET": SECRET}
    environ = os.environ | own | settings
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "otp", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
    )


def on_a_terminal(database_url: str, *arguments: str, answer: bytes) -> tuple[int, str]:
    """The exit code, and what was on the screen."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "otp", *arguments],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url, "OTP_SECRET": SECRET},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    os.write(ours, answer)  # read when it is asked for
    with suppress(OSError):  # Linux's way of saying that the other side has closed
        while select.select([ours], [], [], 60)[0]:
            shown += os.read(ours, 65536)
    os.close(ours)
    return process.wait(30), shown.decode()
