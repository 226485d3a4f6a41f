"""wrk, the load generator: what it asks is in requests.lua, what it found is a `Load`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench.progress import say

SCRIPT = Path(__file__).with_name("requests.lua")
TIMEOUT_SECONDS = 20


class Failed(Exception):
    """Why wrk measured nothing, for people."""


@dataclass(frozen=True)
class Load:
    """Of one run: ``p50`` and ``p99`` are milliseconds, ``errors`` how many of each kind.

    An error is any answer that is no success, and each connection that was lost. ``example`` is
    one such answer. ``ran_out``: there were more connections to serve than codes to check.
    ``next_number``: the first phone that it did not use.
    """

    requests: int
    seconds: float
    p50: float
    p99: float
    errors: Mapping[str, int]
    example: str = ""
    ran_out: bool = False
    next_number: int = 0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds if self.seconds else 0.0

    @property
    def failed(self) -> int:
        return sum(self.errors.values())


class Ask(NamedTuple):
    """What is asked of the server at ``port``: get, send, check or cycle.

    ``first`` is the number of the first phone that may be used; ``codes`` is a file with a phone
    and its code in each line, ``pairs`` one where such lines are to be written. Each connection
    waits ``each_ms`` before it asks again.
    """

    kind: str
    port: int
    keys: Sequence[str] = ()
    first: int = 0
    codes: Path | None = None
    pairs: Path | None = None
    each_ms: int = 0

    @property
    def environ(self) -> dict[str, str]:
        environ = {"BENCH_ASK": self.kind, "BENCH_FIRST": str(self.first)}
        environ["BENCH_KEYS"] = " ".join(self.keys)
        more = {"CODES": self.codes, "PAIRS": self.pairs, "EACH_MS": self.each_ms}
        return environ | {f"BENCH_{name}": str(text) for name, text in more.items() if text}


def is_installed() -> bool:
    """If it is not, people are told what to do."""
    if shutil.which("wrk"):
        return True
    say("wrk is not installed. On Debian and Ubuntu: apt-get install wrk")
    return False


def run(ask: Ask, connections: int, seconds: float) -> Load:
    """Load from so many connections, each of which asks again once it is answered."""
    command = ["wrk", "--threads=1", f"--connections={connections}", f"--duration={seconds:.0f}s"]
    command += [f"--timeout={TIMEOUT_SECONDS}s", f"--script={SCRIPT}"]
    command += [f"http://127.0.0.1:{ask.port}/"]
    made = subprocess.run(
        command, env=os.environ | ask.environ, capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise Failed(f"wrk failed: {made.stderr.strip() or made.stdout.strip()}")
    return parse(made.stdout)


def parse(output: str) -> Load:
    """The last lines of wrk's output, which ``done`` in requests.lua prints."""
    lines = dict(line.split(" ", 1) for line in output.splitlines() if line.startswith("BENCH"))
    if "BENCH" not in lines:
        raise Failed(f"wrk told no figures: {output.strip()[-500:]}")
    found = json.loads(lines["BENCH"])
    return Load(
        requests=found["requests"],
        seconds=found["seconds"],
        p50=found["p50"],
        p99=found["p99"],
        errors={kind: found[kind] for kind in ("refused", "lost", "timeouts") if found[kind]},
        example=lines.get("BENCH-EXAMPLE", ""),
        ran_out=found["ran_out"],
        next_number=found["next_number"],
    )
