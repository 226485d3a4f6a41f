"""A service of which everything has been asked, with canaries wherever one fits."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

import pytest
import requests
from flask import Flask

from otp_service import create_app
from otp_service.simulator import Simulator
from otp_service.storage.models.base import engines_of
from tests.faults.waiting import until
from tests.observability.collector import Collector, collector
from tests.security import other_systems
from tests.security import traffic as ways
from tests.security.canary import FIXED_CODE, TEST_PHONE, Canary, Service, service
from tests.security.traffic import Traffic
from tests.storage import helpers


@dataclass
class Tour:
    """``log`` is what the service had logged when all was over, ``told`` what commands printed,
    ``spans`` takes what it tells a collector.
    """

    service: Service
    app: Flask
    traffic: Traffic
    canary: Canary
    spans: Collector
    log: str = ""
    told: str = ""
    stored: list[bytes] = field(default_factory=list, repr=False)
    """All that the database's files held, at one time after another."""

    def command(self, *args: str) -> str:
        done = self.app.test_cli_runner().invoke(args=["otp", *args])
        self.told += done.output
        return done.output

    def key(self, *args: str) -> str:
        """A new one: shown this once, and meant to be."""
        shown = self.app.test_cli_runner().invoke(args=["otp", "keys", "create", *args]).stdout
        key = shown.splitlines()[0]
        self.canary.secrets.add(key)
        return key

    def endpoint(self, url: str) -> str:
        """Events are told there from now on; its secret, shown this once."""
        shown = self.app.test_cli_runner().invoke(args=["otp", "events", "add", url]).stdout
        secret = shown.strip()
        self.canary.secrets |= {secret, secret.removeprefix("whsec_")}
        return secret

    def look_at_the_files(self) -> None:
        files = sorted(self.service.database.parent.glob("otp.db*"))
        self.stored.append(b"".join(file.read_bytes() for file in files))

    def sealed(self) -> list[str]:
        """How far the messages are whose codes are sealed."""
        query = (
            "SELECT status FROM deliveries JOIN sealed_codes USING (verification_id, generation)"
        )
        with closing(sqlite3.connect(self.service.database)) as connection:
            return [status for (status,) in connection.execute(f"{query} WHERE sealed != ''")]


@pytest.fixture(scope="module", name="tour")
def made_tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    """Everything that can be asked of the service has been asked."""
    folder, canary = tmp_path_factory.mktemp("canary"), Canary()
    simulator = Simulator(seed=1, delay=0.02, retry_pause=0.1, number_faults=False)
    with simulator, collector() as spans, service(folder, simulator, **spans.settings) as started:
        app = create_app(started.settings, instance=folder)
        tour = Tour(started, app, Traffic(started.url, simulator, canary), canary, spans)
        _ask_everything(tour)
        canary.codes |= {message.code for message in simulator.messages()}
        tour.log = started.log
        yield tour
        for engine in engines_of(app):
            engine.dispose()


def _ask_everything(tour: Tour) -> None:
    traffic = tour.traffic
    traffic.key = tour.key("shop", "--scope", "otp", "--scope", "read", "--scope", "admin")
    reader = tour.key("reader", "--scope", "read")
    _until_known(traffic)
    other_systems.have_events_told(traffic, tour.endpoint)
    with ThreadPoolExecutor(1) as pool:
        traffic.simulator.script(next=1, fault="stall:30")
        stalled = pool.submit(traffic.post, "/send-otp", tour.canary.phone(), channel="whatsapp")
        until(lambda: bool(traffic.simulator.messages()))
        ways.every_route_with_every_method(traffic, tour.app)
        ways.wrong_requests(traffic, reader)
        ways.a_life(traffic)
        ways.limits_that_are_reached(traffic)
        ways.receipts_of_all_kinds(traffic)
        _expire(tour)
        _codes_of_others(tour)
        ways.what_nobody_foresaw(traffic)
        assert stalled.result()["error"]["code"] == "delivery_unconfirmed"
    ways.providers_in_trouble(traffic)
    other_systems.messages_to_providers_in_trouble(traffic)
    tour.look_at_the_files()
    _take_the_tables_away(tour)
    _run_commands(tour)
    tour.look_at_the_files()
    other_systems.all_events_are_told(traffic)
    until(lambda: bool(tour.spans.named("handle message")))  # of what was left to a worker


def _codes_of_others(tour: Tour) -> None:
    other_systems.later(tour.traffic)
    assert tour.sealed()
    for ask in (other_systems.messages, other_systems.hooks, other_systems.twilio):
        ask(tour.traffic)
        tour.look_at_the_files()


def _until_known(traffic: Traffic) -> None:
    """Processes read the list of keys again every 2 seconds."""
    until(lambda: traffic.call("GET", "/debug/whatsapp").status_code == requests.codes.ok)


def _expire(tour: Tour) -> None:
    phone = tour.canary.phone()
    tour.traffic.post("/send-otp", phone)
    (engine,) = engines_of(tour.app)
    helpers.pass_time(engine, 601)
    tour.traffic.post("/verify-otp", phone, otp=tour.traffic.code(phone))


def _take_the_tables_away(tour: Tour) -> None:
    connection = sqlite3.connect(tour.service.database)
    tables = ("verifications", "deliveries")
    for table in tables:
        connection.execute(f"ALTER TABLE {table} RENAME TO {table}_elsewhere")
    tour.traffic.post("/send-otp", tour.canary.phone())
    tour.traffic.post("/verify-otp", TEST_PHONE, otp=FIXED_CODE)
    tour.traffic.call("GET", f"/verifications/s{'0' * 32}")
    tour.traffic.post("/messages", tour.canary.phone(), otp=tour.canary.given_code())
    other_systems.hooks(tour.traffic)
    for table in tables:
        connection.execute(f"ALTER TABLE {table}_elsewhere RENAME TO {table}")
    connection.close()


def _run_commands(tour: Tour) -> None:
    tour.command("keys", "list")
    tour.command("why", TEST_PHONE)
    tour.command("events", "list")
    for line in tour.command("events", "list").splitlines()[1:]:
        tour.command("events", "test", line.split()[0])
    tour.command("events", "replay", "--since", "1h")
    tour.command("erase", "--yes", TEST_PHONE)
    tour.command("erase", "--yes", f"{TEST_PHONE}99999")
    tour.command("cleanup")
    tour.command("check")
    tour.command("keys", "revoke", "reader")
