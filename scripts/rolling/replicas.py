"""Replicas of the service, of this release and of the one before, and what an operator does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from scripts.rolling.program import Program

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Release:
    """The code in a folder."""

    name: str
    folder: Path

    @property
    def tells_the_proxy(self) -> bool:
        """Whether it tells the proxy before it stops; else one has to."""
        text = (self.folder / "env.example").read_text()
        return "OTP_SHUTDOWN_DELAY_SECONDS" in text

    def otp(self, settings: dict[str, str], *arguments: str) -> str:
        """What a command prints."""
        command = [sys.executable, "-m", "otp_service", *arguments]
        environ, folder = _environ(settings), self.folder
        done = subprocess.run(
            command, cwd=folder, env=environ, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"otp {' '.join(arguments)}: {done.stderr[-2000:]}")
        return done.stdout


def release_before(folder: Path) -> Release:
    """The commit before the newest migration, in ``folder``."""
    newest = max((ROOT / "migrations/versions").glob("[0-9]*.py")).name
    path = f"migrations/versions/{newest}"
    made = _git("log", "--diff-filter=A", "--format=%h", "-1", "--", path).decode().strip()
    if not made:
        raise RuntimeError("the release before is in git's history, which is not here")
    name = _git("rev-parse", "--short", f"{made}^").decode().strip()
    with tarfile.open(fileobj=BytesIO(_git("archive", name))) as archive:
        archive.extractall(folder, filter="data")
    return Release(f"before {newest.removesuffix('.py')} ({name})", folder)


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout


def _environ(settings: dict[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | settings


class Replica:
    """A place behind the proxy, in which one process after the other serves."""

    def __init__(self, name: str, port: int, log: Path) -> None:
        self.name, self.port, self._log = name, port, log
        self._program: Program | None = None

    def start(self, release: Release, settings: dict[str, str]) -> None:
        """Return when it is ready."""
        environ = _environ(settings | {"PORT": str(self.port)})
        self._program = Program(
            ["wsgi.py"],
            folder=release.folder,
            environ=environ,
            port=self.port,
            path="/ready",
            log=self._log,
        )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Return when it has ended."""
        if self._program:
            self._program.stop(number)
