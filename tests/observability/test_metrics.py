"""What is counted: by one process and by several, and that the documentation tells all of it."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa
from flask import Flask
from prometheus_client import values

from otp_service import create_app
from otp_service.delivery.guarded_sender import GuardedSender
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryUnavailable
from otp_service.domain.failures import Outcome
from otp_service.domain.messages import Receipt
from otp_service.domain.provider_events import Kind, Level, ProviderEvent
from otp_service.domain.verification import DeliveryStatus, Price
from otp_service.environment import SettingsError
from otp_service.observability.metrics import Metrics
from otp_service.observability.multiprocess import FOLDER, shared_counts
from otp_service.storage.models.base import engines_of
from otp_service.web.dependencies import dependencies_of
from tests.conftest import SECRET, MakeApp
from tests.delivery import misbehaving
from tests.delivery.account import MESSAGE
from tests.fakes import FakeSender
from tests.faults.processes import Server, Servers, account
from tests.faults.service import Caller
from tests.faults.waiting import until
from tests.scrape import Scrape

PAGE = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
SECTION = PAGE.partition("\n## Metrics\n")[2].partition("\n## ")[0]
ROWS = [
    [cell.strip(" `") for cell in line.strip("|").split("|")]
    for line in SECTION.splitlines()
    if line.startswith("| `otp_")
]
ALERTS = SECTION.partition("groups:")[2].partition("```")[0]
REQUESTS = "otp_http_requests_total"
CALLS = "otp_provider_calls_total"


@pytest.fixture
def everything(tmp_path: Path) -> Scrape:
    """A scrape in which each metric has a sample: of a service with a fallback and a provider."""
    postgres = "postgresql://nobody@127.0.0.1:9/nowhere"
    settings = {"OTP_SECRET": SECRET, "DATABASE_URL": postgres, **account("http://127.0.0.1:9/")}
    app = create_app(settings, instance=tmp_path)
    metrics = dependencies_of(app).metrics
    metrics.request("GET", "/health", 200, "ok", 0.1)
    metrics.provider_call("gupshup", "whatsapp", "accepted", 0.1)
    metrics.receipt(Receipt("gupshup", "id", DeliveryStatus.READ))
    told = ProviderEvent("meta", Kind.TEMPLATE, "status", "paused", Level.TROUBLE)
    metrics.provider_event(told, ours=True)
    metrics.message_priced("gupshup", Price("authentication", True))
    metrics.limit_refusal({"limit": "phone_sends"})
    metrics.pumping_suspected("conversion", "IN")
    return Scrape.of(app)


def test_names_say_what_is_measured_and_in_which_unit(everything: Scrape) -> None:
    for family in everything.families:
        assert family.name.startswith("otp_")
        assert family.documentation.endswith(".")
        names = {sample.name for sample in family.samples}
        if family.type == "counter":
            assert names == {f"{family.name}_total"}
        elif family.type == "histogram":
            assert family.name.endswith("_seconds")
        else:
            assert (family.type, names) == ("gauge", {family.name})
            assert not family.name.endswith(("_total", "_count", "_sum", "_bucket"))


def test_the_documentation_has_each_metric_with_its_labels_and_no_other(
    everything: Scrape,
) -> None:
    told = {name: set(re.findall(r"\w+", labels)) for name, labels, _ in ROWS}
    real = {}
    for family in everything.families:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        real[name] = {label for sample in family.samples for label in sample.labels} - {"le"}
    assert told == real


def test_the_documented_alerts_ask_for_what_there_is(everything: Scrape) -> None:
    samples = {sample.name for family in everything.families for sample in family.samples}
    asked = set(re.findall(r"\botp_\w+", ALERTS))
    assert len(asked) >= 6
    assert asked <= samples


def test_the_documented_alert_names_each_failure_that_only_an_operator_can_mend() -> None:
    named = re.findall(r"outcome=~\s*\"([\w|]+)\"", ALERTS)[0].split("|")
    ours = (Outcome.ACCOUNT, Outcome.CONFIGURATION)
    assert named == sorted(code for code, f in failures.FAILURES.items() if f.outcome in ours)


def test_each_call_of_a_provider_is_counted_by_what_came_of_it(make_app: MakeApp) -> None:
    turns = [misbehaving.say(misbehaving.http())]
    turns += [misbehaving.say(misbehaving.http(b"", "500 Internal Server Error"))]
    with misbehaving.serve(*turns) as gupshup:
        app = make_app(**account(gupshup.url))
        caller = Caller(app)
        for number in range(5):
            caller.send(f"+91987654321{number}")
    found = Scrape.of(app)
    whatsapp = {"provider": "gupshup", "channel": "whatsapp"}
    assert found.value(CALLS, outcome="accepted", **whatsapp) == 1
    assert found.value(CALLS, outcome="provider_down", **whatsapp) == 3
    assert found.value(CALLS, outcome="circuit_open", **whatsapp) == 1
    assert found.value("otp_provider_call_duration_seconds_count", **whatsapp) == 4
    states = {s: found.value("otp_circuit_state", state=s) for s in ("closed", "open", "half_open")}
    assert states == {"closed": 0, "open": 1, "half_open": 0}


def test_a_message_that_finds_all_calls_taken_is_counted_as_busy() -> None:
    metrics, sender = Metrics(), FakeSender()

    def count(outcome: str, seconds: float | None) -> None:
        metrics.provider_call("fake", "whatsapp", outcome, seconds)

    def another() -> None:
        with pytest.raises(DeliveryUnavailable):
            guarded.send(MESSAGE)

    guarded = GuardedSender(sender, calls=1, count=count)
    sender.on_send = another
    guarded.send(MESSAGE)
    found = Scrape.of(metrics.text().decode())
    assert (found.value(CALLS, outcome="busy"), found.value(CALLS, outcome="accepted")) == (1, 1)
    assert found.value("otp_provider_call_duration_seconds_count") == 1


def test_receipts_are_counted_with_their_failure(app: Flask) -> None:
    failed = Receipt("meta", "a", DeliveryStatus.FAILED, failure=failures.NOT_ON_WHATSAPP)
    dependencies_of(app).keep_receipts([failed, Receipt("gupshup", "b", DeliveryStatus.READ)])
    found = Scrape.of(app)
    labels = {"status": "failed", "failure": "not_on_whatsapp"}
    assert found.value("otp_receipts_total", provider="meta", **labels) == 1
    assert found.value("otp_receipts_total", provider="gupshup", status="read", failure="") == 1


def test_the_gauges_tell_of_the_worker_and_of_connections(make_app: MakeApp) -> None:
    app = make_app()
    dependencies = dependencies_of(app)
    assert Scrape.of(app).value("otp_worker_up") == 0
    dependencies.worker.start()  # type: ignore[attr-defined]
    until(lambda: Scrape.of(app).value("otp_worker_up") == 1)
    dependencies.worker.stop()
    dependencies.worker.join()
    assert Scrape.of(app).value("otp_worker_up") == 0
    in_use = "otp_database_connections_in_use"
    assert Scrape.of(app).value(in_use, database="primary") == 0
    with engines_of(app)[0].connect():
        assert Scrape.of(app).value(in_use, database="primary") == 1
    assert Scrape.of(app).value("otp_database_connections_max", database="primary") == 1


def test_a_scrape_asks_no_database(app: Flask) -> None:
    asked: list[object] = []
    sa.event.listen(engines_of(app)[0], "checkout", lambda *facts: asked.append(facts))
    assert app.test_client().get("/metrics").status_code == 200
    assert asked == []
    app.test_client().get("/ready")
    assert asked


def test_what_a_service_does_not_have_it_does_not_tell(make_app: MakeApp) -> None:
    found = Scrape.of(make_app(OTP_WORKER="off"))
    assert found.value("otp_worker_up") is None
    assert found.value("otp_fallback_active") is None
    assert found.value("otp_database_up") == 1


def test_two_applications_of_one_process_count_apart(make_app: MakeApp) -> None:
    one, other = make_app(), make_app()
    one.test_client().get("/health")
    assert Scrape.of(one).value(REQUESTS) == 1
    assert Scrape.of(other).value(REQUESTS) is None


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with Servers(OTP_SECRET=SECRET, TMPDIR=str(temporary)) as servers:
        yield servers


def scrape(server: Server) -> Scrape:
    return Scrape.of(requests.get(f"{server.url}/metrics", timeout=30).text)


def check_health(server: Server) -> None:
    assert requests.get(f"{server.url}/health", timeout=30).ok


def counted(server: Server) -> float | None:
    return scrape(server).value(REQUESTS, route="/health", code="ok")


def test_several_processes_answer_one_sum_and_one_that_is_replaced_takes_nothing_with_it(
    servers: Servers, tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path / 'otp.db'}"
    server = servers.start(DATABASE_URL=database, WEB_CONCURRENCY="2")
    (folder,) = (tmp_path / "tmp").glob("otp-metrics-*")

    def both_have_counted() -> bool:
        check_health(server)
        return sum(b"/health" in file.read_bytes() for file in folder.glob("counter_*")) == 2

    until(both_have_counted)
    before = counted(server) or 0
    for _ in range(20):
        check_health(server)
    assert {counted(server) for _ in range(10)} == {before + 20}
    process = server._process
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    time.sleep(0.2)
    until(server.is_up)
    assert (counted(server) or 0) > before + 20
    assert len(list(folder.iterdir())) == 4  # a counters' and a histograms' for each of the two
    server.stop()
    assert not folder.exists()


def test_services_share_the_folder_that_they_are_given(servers: Servers, tmp_path: Path) -> None:
    """As a worker that runs apart shares it with the servers."""
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path / 'otp.db'}", FOLDER: str(tmp_path / "own")}
    one, other = servers.start_several(2, **settings)
    before = counted(one) or 0
    for server in (one, other, other):
        check_health(server)
    assert counted(one) == counted(other) == before + 3
    other.stop()
    assert counted(one) == before + 3


def test_a_service_without_room_for_shared_counts_runs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    before = values.ValueClass
    with shared_counts(2) as join:
        join(0)
    assert values.ValueClass is before
    assert "each process has metrics of its own" in caplog.text


def test_only_the_process_that_made_the_folder_removes_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    counts = shared_counts(2)
    counts.__enter__()
    if (child := os.fork()) == 0:  # it fails, and so leaves the block
        counts.__exit__(None, None, None)
        os._exit(0)
    os.waitpid(child, 0)
    (folder,) = tmp_path.iterdir()
    assert len(list(folder.iterdir())) == 4
    counts.__exit__(None, None, None)
    assert not folder.exists()


def test_a_folder_that_cant_be_had_is_a_problem_of_the_configuration(
    monkeypatch: pytest.MonkeyPatch, make_app: MakeApp, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv(FOLDER, str(file))
    with pytest.raises(SettingsError, match=FOLDER):
        make_app()
