"""A provider that takes 300 ms for a message, and one that does not answer at all."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

from bench import checker, stand_in
from bench.checker import Checks
from bench.measuring import Measuring
from bench.progress import say
from bench.running import Broken, Running, free_port, running
from bench.wrk import Ask, Load

PAUSE_SECONDS = 0.3
CONNECTIONS = 100
SLOW_SECONDS, SILENT_SECONDS, IDLE_SECONDS = 8, 30, 4
ENOUGH_CODES = int((SLOW_SECONDS + SILENT_SECONDS + IDLE_SECONDS) / checker.PAUSE_SECONDS)
# Of those whom a silent provider refuses: as many a second as a slow one serves.
EACH_MS = 500


def measure(measuring: Measuring) -> None:
    """Connections that only send, beside one that checks: into the results' ``slow``."""
    port, store = free_port(), measuring.store("postgres")
    settings = {
        "GUPSHUP_API_KEY": "bench-4f1d7a0c95e2",
        "GUPSHUP_SOURCE": "917834811114",
        "GUPSHUP_SRC_NAME": "Bench",
        "GUPSHUP_TEMPLATE_ID": "c6aecef6-bcb0-4fb1-8100-28c094e3bc6b",
        "GUPSHUP_API_URL": f"http://127.0.0.1:{port}{stand_in.PATH}",
    }
    log = store.folder / "stand-in.log"
    provider = running(["-m", "bench.stand_in", str(port)], port, os.environ, log)
    with provider, store.serving(1, measuring.plan.server, **settings) as found:
        _phases(measuring, found, port)


def _phases(measuring: Measuring, found: Running, provider: int) -> None:
    codes = iter(_codes(measuring, found, provider))
    keys, slow = measuring.store("postgres").keys, measuring.results.slow
    idle = checker.check(found.port, keys, codes, IDLE_SECONDS)
    slow["idle: p99 of checks, ms"] = idle.p99
    _control(provider, "POST", f"/pause/{PAUSE_SECONDS}")
    load, checks = _both(measuring, found, codes, SLOW_SECONDS, each_ms=0)
    slow["slow: messages a second"] = (load.requests - load.failed) / load.seconds
    slow["slow: errors of sends"] = load.failed
    slow["slow: p99 of sends, ms"] = load.p99
    _keep(slow, "slow", checks, idle)
    _control(provider, "POST", f"/pause/{math.inf}")
    load, checks = _both(measuring, found, codes, SILENT_SECONDS, EACH_MS)
    slow["silent: half of the sends fail within, ms"] = load.p50
    _keep(slow, "silent", checks, idle)


def _keep(slow: dict[str, float], phase: str, checks: Checks, idle: Checks) -> None:
    slow[f"{phase}: p99 of checks, ms more than idle"] = checks.p99 - idle.p99
    slow[f"{phase}: errors of checks"] = checks.errors
    say(f"  provider {phase}: checks p99 {checks.p99:.1f} ms, idle {idle.p99:.1f} ms")


def _both(
    measuring: Measuring, found: Running, codes: Iterator[str], seconds: int, each_ms: int
) -> tuple[Load, Checks]:
    keys = measuring.store("postgres").keys
    with ThreadPoolExecutor(1) as beside:
        checks = beside.submit(checker.check, found.port, keys, codes, seconds)
        load = measuring.run(Ask("send", found.port, keys, each_ms=each_ms), CONNECTIONS, seconds)
        say(f"  sends: {load.rate:.0f}/s, p99 {load.p99:.0f} ms, {load.failed} failed: "
            f"{load.example or '-'}")  # fmt: skip
        return load, checks.result()


def _codes(measuring: Measuring, found: Running, provider: int) -> list[str]:
    """While the provider is fast, and before any that is measured."""
    say(f"  {ENOUGH_CODES} codes")
    codes: list[str] = []
    for _ in range(12):
        measuring.run(Ask("send", found.port, measuring.store("postgres").keys), 16, 5)
        codes += _control(provider, "GET", "/codes").splitlines()
        if len(codes) > ENOUGH_CODES:
            return codes
    raise Broken(f"only {len(codes)} codes were sent in a minute")


def _control(port: int, method: str, path: str) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path)
    text = connection.getresponse().read().decode()
    connection.close()
    return text
