"""What is counted, and that the documentation tells all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from otp_service import create_app
from otp_service.delivery.guarded_sender import GuardedSender
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryUnavailable
from otp_service.domain.failures import Outcome
from otp_service.domain.messages import Receipt
from otp_service.domain.provider_events import Kind, Level, ProviderEvent
from otp_service.domain.verification import DeliveryStatus, Price
from otp_service.observability.metrics import Metrics
from otp_service.observability.oldest_due import OldestDue
from otp_service.web.dependencies import dependencies_of
from tests.conftest import SECRET, MakeApp
from tests.delivery import misbehaving
from tests.delivery.account import MESSAGE
from tests.fakes import FakeSender
from tests.faults.processes import account
from tests.faults.service import Caller
from tests.scrape import Scrape

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text()
SECTION = PAGE.partition("\n## Metrics\n")[2].partition("\n## ")[0]
ROWS = [
    [cell.strip(" `") for cell in line.strip("|").split("|")]
    for line in SECTION.splitlines()
    if line.startswith("| `otp_")
]
ALERTS = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text()
REQUESTS = "otp_http_requests_total"
CALLS = "otp_provider_calls_total"


@pytest.fixture
def everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scrape:
    """A scrape in which each metric has a sample: of a service with a fallback and a provider."""
    postgres = "postgresql://nobody@127.0.0.1:9/nowhere"
    settings = {"OTP_SECRET": SECRET, "DATABASE_URL": postgres, **account("http://127.0.0.1:9/")}
    app = create_app(settings, instance=tmp_path)
    monkeypatch.setattr(OldestDue, "seconds", (0.0, 0.0))  # as if both databases had been asked
    metrics = dependencies_of(app).metrics
    metrics.request("GET", "/health", 200, "ok", 0.1)
    metrics.provider_call("gupshup", "whatsapp", "accepted", 0.1)
    metrics.receipt(Receipt("gupshup", "id", DeliveryStatus.READ))
    told = ProviderEvent("meta", Kind.TEMPLATE, "status", "paused", Level.TROUBLE)
    metrics.provider_event(told, ours=True)
    metrics.message_priced("gupshup", Price("authentication", True))
    metrics.event_told("told")
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


def test_the_alerts_ask_for_what_there_is(everything: Scrape) -> None:
    samples = {sample.name for family in everything.families for sample in family.samples}
    asked = set(re.findall(r"\botp_\w+", ALERTS))
    assert len(asked) >= 6
    assert asked <= samples


def test_an_alert_names_each_failure_that_only_an_operator_can_mend() -> None:
    ours = (Outcome.ACCOUNT, Outcome.CONFIGURATION)
    codes = sorted(code for code, f in failures.FAILURES.items() if f.outcome in ours)
    named = re.findall(r"outcome=~\s*\"([\w|]+)\"", ALERTS)
    assert named
    assert {tuple(each.split("|")) for each in named} == {tuple(codes)}


def test_an_alert_leaves_out_each_failure_that_one_phone_is_the_reason_for() -> None:
    theirs = {code for code, f in failures.FAILURES.items() if f.outcome is Outcome.RECIPIENT}
    theirs |= {failures.RECIPIENT_RATE_LIMITED.code, failures.RECIPIENT_ABSENT.code}
    (named,) = re.findall(r"outcome!~\s*\"([\w|]+)\"", ALERTS)
    assert named.split("|") == sorted({"accepted", *theirs})


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


def test_two_applications_of_one_process_count_apart(make_app: MakeApp) -> None:
    one, other = make_app(), make_app()
    one.test_client().get("/health")
    assert Scrape.of(one).value(REQUESTS) == 1
    assert Scrape.of(other).value(REQUESTS) is None
