"""Machines that are network namespaces: what one is cut off from is dropped, not refused."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """A namespace that the shell script made, and its address. It ends all that runs in there."""

    namespace: str
    address: str

    def start(self, command: Sequence[str], log: Path, **environ: str) -> subprocess.Popen[bytes]:
        """The process id is the command's own: whoever enters the namespace becomes it."""
        enter = ["ip", "netns", "exec", self.namespace]
        with log.open("ab") as output:
            return subprocess.Popen(
                [*enter, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=os.environ | environ,
                start_new_session=True,
            )

    def crash(self) -> None:
        """Everything that runs here ends at once, as if it lost its power: kill -9, by id."""
        for process in self._run("netns", "pids", self.namespace).split():
            with suppress(ProcessLookupError):  # it ended when its parent did
                os.kill(int(process), signal.SIGKILL)

    def cut(self, other: Machine) -> None:
        """Each drops what the other sends."""
        for one, two in ((self, other), (other, self)):
            one._iptables("-A", "INPUT", "-s", two.address, "-j", "DROP")

    def heal(self, other: Machine) -> None:
        for one, two in ((self, other), (other, self)):
            one._iptables("-D", "INPUT", "-s", two.address, "-j", "DROP")

    def _iptables(self, *arguments: str) -> None:
        self._run("netns", "exec", self.namespace, "iptables", "-w", *arguments)

    @staticmethod
    def _run(*arguments: str) -> str:
        done = subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
        return done.stdout
