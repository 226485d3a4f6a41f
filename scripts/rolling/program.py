"""A Python program that serves HTTP on a port of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path

PATIENCE = 60.0  # seconds for a start or an end


class Program:
    """`python ARGUMENTS` in ``folder``; return when ``path`` is answered with 200."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        environ: Mapping[str, str],
        port: int,
        path: str,
        log: Path,
    ) -> None:
        with log.open("ab") as lines:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=folder,
                env=environ,
                stdout=lines,
                stderr=lines,
                start_new_session=True,
            )
        until = time.monotonic() + PATIENCE
        while not _is_there(port, path):
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop(signal.SIGKILL)
                said = log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{arguments} did not start; it said: {said}")
            time.sleep(0.05)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Return when it has ended. SIGKILL is for its children, too: they would go on."""
        if self._process.poll() is None:
            if number is signal.SIGKILL:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)
            self._process.wait(PATIENCE)


def _is_there(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
