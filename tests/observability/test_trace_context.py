"""Whose trace a span belongs to, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient

from otp_service.observability.tracing import Tracing
from otp_service.web.dependencies import dependencies_of
from tests.conftest import MakeApp
from tests.delivery import misbehaving
from tests.observability.collector import Collector, collector
from tests.observability.logs import PHONE, Log
from tests.scenarios.scene import WHATSAPP

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, NOT_SAMPLED = f"00-{TRACE}-{CALLER}-01", f"00-{TRACE}-{CALLER}-00"
Ask = Callable[..., FlaskClient]


@pytest.fixture
def spans() -> Iterator[Collector]:
    with collector() as started:
        yield started


@pytest.fixture
def provider() -> Iterator[misbehaving.Server]:
    with misbehaving.serve(misbehaving.say(misbehaving.http())) as server:
        yield server


@pytest.fixture
def traced(make_app: MakeApp, spans: Collector, provider: misbehaving.Server) -> Iterator[Ask]:
    """Applications whose spans are sent, with the SDK's variables."""
    left = []

    def make(**variables: str) -> FlaskClient:
        sender = WHATSAPP | {"GUPSHUP_API_URL": provider.url}
        app = make_app(**sender | spans.settings | variables)
        exporting = dependencies_of(app).exporting_spans()
        exporting.__enter__()
        left.append(exporting)
        return app.test_client()

    yield make
    for exporting in left:
        exporting.__exit__(None, None, None)


def send(client: FlaskClient, **headers: str) -> None:
    answer = client.post("/send-otp", json={"phone_number": PHONE}, headers=headers)
    assert answer.status_code == 200


def header(raw: bytes, name: str) -> str | None:
    lines = raw.partition(b"\r\n\r\n")[0].decode().splitlines()[1:]
    found = dict(line.split(": ", 1) for line in lines)
    return found.get(name)


def test_a_request_is_part_of_its_callers_trace(traced: Ask, spans: Collector) -> None:
    send(traced(), traceparent=SAMPLED)
    request = spans.one("POST /send-otp")
    assert (request.trace, request.parent) == (TRACE, CALLER)
    assert {span.trace for span in spans.spans} == {TRACE}


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "nonsense",
        f"00-{'0' * 32}-{CALLER}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{CALLER}-01",
        f"00-{TRACE.upper()}-{CALLER}-01",
        f"00-{TRACE}-{CALLER}-01-more",
        f"00-{TRACE[1:]}-{CALLER}-01",
        f"00-{TRACE}-{CALLER}-01, 00-{TRACE}-{CALLER}-01",
    ],
)
def test_what_is_no_traceparent_is_as_none(traced: Ask, spans: Collector, traceparent: str) -> None:
    send(traced(), traceparent=traceparent)
    request = spans.one("POST /send-otp")
    assert request.parent == ""
    assert request.trace != TRACE


def test_however_long_it_is_nobody_complains(log: Log, traced: Ask, spans: Collector) -> None:
    send(traced(), traceparent=SAMPLED + "-" * 4000, tracestate="x" * 4000)
    spans.one("POST /send-otp")
    assert [line for line in log.lines if "opentelemetry" in line["logger"]] == []


def test_a_caller_who_wants_no_spans_gets_none(
    log: Log, traced: Ask, spans: Collector, provider: misbehaving.Server
) -> None:
    client = traced()
    send(client, traceparent=NOT_SAMPLED)
    client.post("/verify-otp", json={"phone_number": PHONE, "otp": "123456"})
    spans.one("POST /verify-otp")
    assert spans.named("POST /send-otp") == []
    assert {line.get("trace_id") for line in log.lines if line.get("route") == "/send-otp"} == {
        TRACE
    }
    passed_on = header(provider.requests[0], "traceparent") or ""
    assert passed_on.startswith(f"00-{TRACE}-")
    assert passed_on.endswith("-00")


@pytest.mark.statement(13)
def test_a_provider_is_told_the_trace_and_nothing_else_of_the_callers(
    traced: Ask, spans: Collector, provider: misbehaving.Server
) -> None:
    send(traced(), traceparent=SAMPLED, tracestate=f"shop={PHONE[1:]}", baggage=f"to={PHONE[1:]}")
    call = spans.one("send gupshup")
    (asked,) = provider.requests
    assert header(asked, "traceparent") == f"00-{TRACE}-{call.id}-01"
    assert (header(asked, "tracestate"), header(asked, "baggage")) == (None, None)
    assert PHONE[1:] not in spans.text


@pytest.mark.parametrize(
    ("sampler", "traceparent", "recorded"),
    [
        ("always_off", SAMPLED, False),
        ("parentbased_always_off", "", False),
        ("parentbased_always_off", SAMPLED, True),
        ("parentbased_traceidratio", "", False),
        ("always_on", NOT_SAMPLED, True),
    ],
)
def test_the_sampler_of_the_environment_decides(
    traced: Ask, spans: Collector, sampler: str, traceparent: str, recorded: bool
) -> None:
    client = traced(OTEL_TRACES_SAMPLER=sampler, OTEL_TRACES_SAMPLER_ARG="0")
    send(client, traceparent=traceparent)
    tracing = dependencies_of(client.application).tracing
    assert isinstance(tracing, Tracing)
    tracing._provider.force_flush()
    assert bool(spans.named("POST /send-otp")) is recorded


def test_whose_spans_they_are_is_the_environments_to_say(traced: Ask, spans: Collector) -> None:
    attributes = "deployment.environment.name=staging,service.version=7"
    send(traced(OTEL_SERVICE_NAME="codes", OTEL_RESOURCE_ATTRIBUTES=attributes))
    told = spans.one("POST /send-otp").resource
    assert told["service.name"] == "codes"
    assert told["service.version"] == "7"
    assert told["deployment.environment.name"] == "staging"


def test_without_a_word_it_has_our_name_and_an_id_of_its_own(traced: Ask, spans: Collector) -> None:
    send(traced())
    told = spans.one("POST /send-otp").resource
    assert told["service.name"] == "otp-service"
    assert told["service.version"]
    assert len(told["service.instance.id"]) == 36
