"""Codes, keys and whole phone numbers: sent through every path, and then looked for everywhere."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from flask import Flask

from otp_service import create_app
from otp_service.domain.phone import mask
from otp_service.simulator import Simulator
from otp_service.storage.models.base import engines_of
from otp_service.web.request_log import POLLED
from tests.faults.waiting import until
from tests.observability.collector import Collector, Seen, collector
from tests.security import traffic as ways
from tests.security.canary import (
    FIXED_CODE,
    SECRETS,
    TEST_PHONE,
    Canary,
    Service,
    service,
)
from tests.security.traffic import TRACE, Traffic
from tests.storage import helpers
from tests.storage.helpers import wrong

pytestmark = pytest.mark.statement(13)


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


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
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
        ways.what_nobody_foresaw(traffic)
        assert stalled.result()["error"]["code"] == "delivery_unconfirmed"
    ways.providers_in_trouble(traffic)
    _take_the_tables_away(tour)
    _run_commands(tour)
    until(lambda: bool(tour.spans.named("handle message")))  # of what was left to a worker


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
    for table in tables:
        connection.execute(f"ALTER TABLE {table}_elsewhere RENAME TO {table}")
    connection.close()


def _run_commands(tour: Tour) -> None:
    tour.command("keys", "list")
    tour.command("erase", "--yes", TEST_PHONE)
    tour.command("erase", "--yes", f"{TEST_PHONE}99999")
    tour.command("cleanup")
    tour.command("check")
    tour.command("keys", "revoke", "reader")


def test_no_line_of_the_log_holds_one(tour: Tour) -> None:
    assert tour.canary.found_in(tour.log) == set()


def test_the_log_tells_of_every_route_and_every_kind_of_answer(tour: Tour) -> None:
    asked = [line for line in map(json.loads, tour.log.splitlines()) if "route" in line]
    variable = r"<(?:[^:<>]+:)?(?:\w+_)?(\w+)>"  # as routes are named: /verifications/{id}
    rules = {re.sub(variable, r"{\1}", rule.rule) for rule in tour.app.url_map.iter_rules()}
    assert rules <= {line["route"] for line in asked}
    refusals = {"too_many_attempts", "phone_locked", "send_limit_exceeded", "storage_unavailable"}
    assert refusals <= {line.get("refusal") for line in asked}
    statuses = {200, 202, 400, 401, 403, 404, 405, 413, 415, 422, 429, 500, 502, 503, 504}
    assert statuses <= {line["status"] for line in asked}


def test_phones_are_there_masked(tour: Tour) -> None:
    assert mask(next(iter(tour.canary.phones))) in tour.log


def test_no_answer_holds_one_but_for_the_phone_that_its_data_names(tour: Tour) -> None:
    for answer in tour.traffic.answers:
        asked = f"{answer.request.method} {answer.request.url} {answer.request.body!r}"
        assert tour.canary.found_in(_told_in(answer)) == set(), asked


def _told_in(answer: requests.Response) -> str:
    """All of it, less its own phone and the caller's own id."""
    own = {"x-request-id"}
    headers = {name: value for name, value in answer.headers.items() if name.lower() not in own}
    text = answer.text
    if answer.headers.get("Content-Type") == "application/json" and text:
        body = json.loads(text)
        body.get("data", {}).pop("phone_number", None)
        text = json.dumps(body, ensure_ascii=False)
    return f"{headers} {text}"


def test_no_metric_holds_one(tour: Tour) -> None:
    page = tour.traffic.call("GET", "/metrics")
    assert tour.canary.found_in(page.text) == set()


def test_no_span_holds_one(tour: Tour) -> None:
    assert tour.canary.found_in(tour.spans.text) == set()


def test_spans_tell_of_every_route_and_of_all_that_is_called(tour: Tour) -> None:
    variable = r"<(?:[^:<>]+:)?(?:\w+_)?(\w+)>"
    rules = {re.sub(variable, r"{\1}", rule.rule) for rule in tour.app.url_map.iter_rules()}
    asked = [span for span in tour.spans.spans if span.kind == "server"]
    assert rules - POLLED <= told(asked, "http.route")
    assert TRACE in {span.trace for span in asked}
    assert {span.facts["error.type"] for span in asked if span.name == "request"} == {
        "internal_error"
    }
    assert {"ok", "invalid_otp", "internal_error"} <= told(asked, "otp.outcome")
    called = [span for span in tour.spans.spans if span.kind == "client"]
    assert {"issue", "reissue", "check_code", "get"} <= told(called, "db.operation.name")
    assert {"gupshup", "gupshup-sms", "meta"} <= told(called, "otp.provider")
    assert {"accepted", "unconfirmed", "provider_down"} <= told(called, "otp.outcome")
    assert "StorageUnavailable" in told(called, "error.type")
    assert tour.spans.named("queue message")
    assert tour.spans.named("handle message")


def told(spans: list[Seen], fact: str) -> set[str]:
    return {span.facts[fact] for span in spans if fact in span.facts}


def test_no_command_tells_one(tour: Tour) -> None:
    assert mask(TEST_PHONE) in tour.told
    assert tour.canary.found_in(tour.told) == set()


def test_the_database_keeps_phones_and_nothing_else_of_it(tour: Tour) -> None:
    files = list(Path(tour.service.database).parent.glob("otp.db*"))
    stored = b"".join(file.read_bytes() for file in files)
    assert min(tour.canary.phones - {TEST_PHONE}).encode() in stored
    assert tour.canary.found_in(stored, stored=True) == set()


def test_a_leak_would_be_found(tour: Tour) -> None:
    code = wrong(FIXED_CODE)
    tour.traffic.post("/verify-otp", TEST_PHONE, otp=code, purpose="leak")
    until(lambda: "checking" in tour.service.log)
    assert Canary(codes={code}).found_in(tour.service.log) == {code}
    until(lambda: "otp.checking" in tour.spans.text)
    assert Canary(codes={code}).found_in(tour.spans.text) == {code}


@pytest.mark.parametrize(
    "text",
    [
        f"https://provider.test/?key={SECRETS['GUPSHUP_API_KEY']}",
        "password=canary%2Fsms+password",
        f"to {TEST_PHONE[1:]}: sent",
        f'{{"otp":"{FIXED_CODE}"}}',
    ],
)
def test_the_search_knows_each_kind_and_its_spellings(text: str) -> None:
    assert Canary().found_in(text)
