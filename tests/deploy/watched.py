"""A service that a real Prometheus watches, through a good hour and a bad one."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from otp_service.simulator import Simulator
from tests.conftest import SECRET
from tests.delivery import misbehaving
from tests.deploy import traffic
from tests.deploy.prometheus import PATIENCE, Prometheus, configure
from tests.deploy.traffic import Traffic
from tests.faults.cluster import Cluster
from tests.faults.loopback import LOOPBACK
from tests.faults.processes import ROOT, Servers
from tests.faults.proxy import Proxy
from tests.faults.waiting import until


@dataclass(frozen=True, repr=False)  # a server has no app to show
class Watched:
    """When all is over. ``in_good_times`` are the alerts that held before the trouble."""

    prometheus: Prometheus
    traffic: Traffic
    in_good_times: set[str]


@contextmanager
def a_watched_service(folder: Path) -> Iterator[Watched]:
    with ExitStack() as stack:
        cluster = Cluster.create(Path(tempfile.mkdtemp(prefix="otp-test-watched-")))
        stack.callback(cluster.remove)
        cluster.start()
        postgres = stack.enter_context(Proxy(LOOPBACK, cluster.port))
        simulator = stack.enter_context(
            Simulator(seed=1, delay=0.02, number_faults=False, quirks={"conversation"})
        )
        settings = {
            **traffic.SETTINGS,
            "OTP_SECRET": SECRET,
            "DATABASE_URL": postgres.url(cluster.url),
            "FALLBACK_DATABASE_URL": f"sqlite:///{folder / 'fallback.db'}",
            "GUPSHUP_API_URL": simulator.gupshup_url,
            "GUPSHUP_SMS_API_URL": simulator.sms_url,
        }
        scraper = new_key(settings, "prometheus", "read")
        client = new_key(settings, "shop", "otp")
        there = stack.enter_context(misbehaving.serve(misbehaving.say(misbehaving.http(b""))))
        for url in (there.url, misbehaving.closed_port_url()):  # one of them is down
            command(settings, "events", "add", url)
        service = stack.enter_context(Servers(**settings)).start()
        service.headers["Authorization"] = f"Bearer {client}"
        simulator.callback_url = f"{service.url}/webhooks/gupshup"
        simulator.callback_secret = traffic.SECRET
        simulator.sms_callback_url = f"{service.url}/webhooks/gupshup-sms?token={traffic.SECRET}"
        configure(folder, service.url.removeprefix("http://"), scraper)
        prometheus = stack.enter_context(Prometheus(folder))
        done = Traffic(service, simulator, postgres, prometheus.wait_for_scrape)
        yield _through_both(prometheus, done)


def _through_both(prometheus: Prometheus, done: Traffic) -> Watched:
    """Each hour twice: a counter that was not there before has no rate."""
    until(lambda: bool(prometheus.query("otp_oldest_due_message_age_seconds")), PATIENCE)
    for _ in range(2):
        done.good_hour()
        prometheus.wait_for_scrape()
    with suppress(AssertionError):  # one scrape that takes a second is none of the service's faults
        until(lambda: not holding(prometheus))
    in_good_times = holding(prometheus)
    for _ in range(2):
        done.bad_hour()
        prometheus.wait_for_scrape()
    return Watched(prometheus, done, in_good_times)


def holding(prometheus: Prometheus) -> set[str]:
    return {rule["name"] for rule in prometheus.rules() if prometheus.query(rule["query"])}


def new_key(settings: dict[str, str], client: str, *scopes: str) -> str:
    """As docs/operating.md says to make one."""
    arguments = [argument for scope in scopes for argument in ("--scope", scope)]
    return command(settings, "keys", "create", client, *arguments).splitlines()[0]


def command(settings: dict[str, str], *arguments: str) -> str:
    """What it printed to standard output."""
    done = subprocess.run(
        [ROOT / "otp", *arguments],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=True,
    )
    return done.stdout
