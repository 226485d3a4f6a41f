"""`python -m scripts.rolling`: see ../rolling-restart-test.sh --help."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench.postgres import database, own_server
from bench.running import free_port
from scripts.rolling import audit, provider
from scripts.rolling.journeys import Crowd
from scripts.rolling.provider import Inbox
from scripts.rolling.proxy import Proxy
from scripts.rolling.replicas import ROOT, Release, Replica, release_before
from scripts.rolling.tally import Tally

WEBHOOK_SECRET = "a-webhook-secret-of-this-test"
THREADS = 32  # of a replica: as many connections to a Postgres that may have 100
RECEIPTS = 3.0  # seconds, until the last ones have come


class RollingRestart:
    """Two replicas behind a proxy, and a crowd that never stops asking."""

    def __init__(self, folder: Path, url: str, options: argparse.Namespace) -> None:
        self._folder, self._options = folder, options
        self._provider_port, self._port = free_port(), free_port()
        self._settings = _settings(url, self._provider_port, options)
        self._replicas = [Replica(n, free_port(), folder / f"{n}.log") for n in ("a", "b")]
        self._tally = Tally()
        self._new = Release("this release", ROOT)
        self._old = release_before(folder / "before")

    def run(self) -> bool:
        """Whether nothing was lost."""
        self._old.otp(self._settings, "init-db")
        key = self._old.otp(self._settings, "keys", "create", "shop", "--scope", "otp")
        key = next(word for word in key.split() if word.startswith("otp_"))
        with ExitStack() as stack:
            self._start(stack)
            inbox = Inbox(self._provider_port)
            with Crowd(self._options.people, self._port, key, inbox, self._tally) as crowd:
                self._phases()
            time.sleep(RECEIPTS)
            for phase in self._tally.phases[1:]:
                print(phase)
            killed = self._tally.phases[-1].began
            are_clean = audit.is_clean(inbox.messages(), crowd.accepted, killed)
        return are_clean and all(phase.is_clean for phase in self._tally.phases)

    def _start(self, stack: ExitStack) -> None:
        log = self._folder / "provider.log"
        stack.callback(provider.start(self._provider_port, self._port, WEBHOOK_SECRET, log).stop)
        for replica in self._replicas:
            stack.callback(replica.stop)
            replica.start(self._old, self._settings)
        ports = {replica.name: replica.port for replica in self._replicas}
        self._proxy = stack.enter_context(Proxy(self._folder, self._port, ports))
        for replica in self._replicas:
            self._proxy.wait_until_up(replica.name)

    def _phases(self) -> None:
        self._phase(f"two of the release {self._old.name}", lambda: None)
        self._phase("init-db of this release", partial(self._new.otp, self._settings, "init-db"))
        for replica in self._replicas:
            act = partial(self._replace, replica, self._old)
            self._phase(f"{replica.name} upgraded to this release", act)
        for replica in self._replicas:
            act = partial(self._replace, replica, self._new)
            self._phase(f"{replica.name} restarted by SIGTERM", act)
        self._phase("a ended by SIGKILL, and restarted", self._kill, may_lose=True)

    def _phase(self, name: str, act: Callable[[], object], *, may_lose: bool = False) -> None:
        self._tally.begin(name, may_lose=may_lose)
        act()
        time.sleep(self._options.seconds)

    def _replace(self, replica: Replica, running: Release) -> None:
        if not running.tells_the_proxy:
            self._proxy.drain(replica.name)
        replica.stop()
        self._come_back(replica)

    def _kill(self) -> None:
        self._replicas[0].stop(signal.SIGKILL)
        self._come_back(self._replicas[0])

    def _come_back(self, replica: Replica) -> None:
        replica.start(self._new, self._settings)
        self._proxy.resume(replica.name)
        self._proxy.wait_until_up(replica.name)


def _settings(url: str, provider_port: int, options: argparse.Namespace) -> dict[str, str]:
    return {
        "DATABASE_URL": url,
        "FALLBACK_DATABASE_URL": "off",
        "OTP_SECRET": secrets.token_hex(32),
        "GUPSHUP_API_KEY": "k" * 20,
        "GUPSHUP_SOURCE": "917834811114",
        "GUPSHUP_TEMPLATE_ID": "5a1e0000-0000-4000-8000-000000000002",
        "GUPSHUP_SRC_NAME": "DemoApp",
        "GUPSHUP_API_URL": f"http://127.0.0.1:{provider_port}/wa/api/v1/template/msg",
        "GUPSHUP_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "OTP_CLIENT_REQUESTS": "100000/1s",
        "OTP_SHUTDOWN_DELAY_SECONDS": str(options.delay),
        "WAITRESS_THREADS": str(THREADS // options.processes),
        "WEB_CONCURRENCY": str(options.processes),
        "LOG_FORMAT": "json",
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/rolling-restart-test.sh")
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--delay", type=int, default=3)
    parser.add_argument("--processes", type=int, default=1)
    return parser.parse_args()


def main() -> int:
    """0 if nothing was lost, else 1."""
    options = _options()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="otp-rolling-")))
        url = os.environ.get("DATABASE_URL") or stack.enter_context(own_server(0))
        engine = stack.enter_context(database(url, f"otp_rolling_{os.getpid()}"))
        own = engine.url.render_as_string(hide_password=False)
        is_clean = RollingRestart(folder, own, options).run()
    print(f"rolling-restart-test: {'nothing was lost' if is_clean else 'FAILED'}")
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
