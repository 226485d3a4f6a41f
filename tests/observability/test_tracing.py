"""What spans tell of a request, of what it calls, and of what a worker does later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from otp_service import create_app
from otp_service.domain.service import OtpService
from otp_service.web.dependencies import dependencies_of
from tests.conftest import SECRET
from tests.delivery import misbehaving
from tests.faults.waiting import until
from tests.observability.collector import Collector, Seen, collector
from tests.observability.logs import PHONE, Log
from tests.scenarios.conftest import MakeScene, database_url, make_scene, simulator
from tests.scenarios.scene import Scene

__all__ = ["database_url", "make_scene", "simulator"]

SEND = {"otp.provider": "gupshup", "otp.channel": "whatsapp", "http.request.method": "POST"}


@pytest.fixture
def spans() -> Iterator[Collector]:
    with collector() as started:
        yield started


@pytest.fixture
def scene(make_scene: MakeScene, spans: Collector) -> Iterator[Scene]:
    scene = make_scene(**spans.settings)
    with dependencies_of(scene.app).exporting_spans():
        yield scene


def names(spans: list[Seen]) -> list[str]:
    return [span.name for span in spans]


def test_a_send_is_a_request_with_what_it_called(scene: Scene, spans: Collector) -> None:
    scene.send()
    request = spans.one("POST /send-otp")
    assert (request.kind, request.parent, request.failed) == ("server", "", False)
    assert request.facts == {
        "http.request.method": "POST",
        "http.route": "/send-otp",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "otp.outcome": "ok",
    }
    assert names(spans.within(request)) == ["issue", "send gupshup", "submitted"]


@pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
def test_an_operation_of_the_store_is_told_by_its_name(
    scene: Scene, spans: Collector, database_url: str
) -> None:
    sent = scene.send()
    scene.verify(scene.code())
    scene.get(sent.id)
    (issue, _, _) = spans.within(spans.one("POST /send-otp"))
    (check,) = spans.within(spans.one("POST /verify-otp"))
    (get,) = spans.within(spans.one("GET /verifications/{id}"))
    system = sa.make_url(database_url).get_backend_name()
    for span, operation in ((issue, "issue"), (check, "check_code"), (get, "get")):
        assert (span.kind, span.name, span.failed) == ("client", operation, False)
        facts = {"db.system.name": system, "otp.home": "primary", "db.operation.name": operation}
        assert span.facts == facts


def test_a_call_of_a_provider_tells_whom_how_and_what_came_of_it(
    scene: Scene, spans: Collector
) -> None:
    sent = scene.send()
    (call,) = [each for each in spans.within(spans.one("POST /send-otp")) if "send" in each.name]
    (delivery,) = scene.deliveries(sent)
    assert call.kind == "client"
    assert call.facts.pop("otp.delivery_id")
    told = {"otp.outcome": "accepted", "server.address": "127.0.0.1"}
    assert call.facts == SEND | told | {"http.response.status_code": 202}
    assert delivery["status"] in ("submitted", "sent", "delivered")


FAILED = [
    ("http:400", 400, "invalid_number", "delivery_failed"),
    ("http:503", 503, "provider_down", "delivery_unavailable"),
    ("closed-taken", None, "unconfirmed", "delivery_unconfirmed"),
]


@pytest.mark.parametrize("failed", FAILED, ids=lambda failed: failed[0])
def test_a_failed_send_is_told_by_its_codes(
    scene: Scene, spans: Collector, failed: tuple[str, int | None, str, str]
) -> None:
    fault, status, outcome, refusal = failed
    scene.simulator.script(next=1, fault=fault)
    scene.send()
    request, call = spans.one("POST /send-otp"), spans.one("send gupshup")
    assert call.failed
    assert (call.facts["otp.outcome"], call.facts["error.type"]) == (outcome, outcome)
    assert call.facts.get("http.response.status_code") == status
    assert request.failed
    assert (request.facts["otp.outcome"], request.facts["error.type"]) == (refusal, refusal)


def test_what_a_person_or_a_caller_got_wrong_is_no_error(scene: Scene, spans: Collector) -> None:
    scene.verify("123456")
    scene.send("12")
    check, send = spans.one("POST /verify-otp"), spans.one("POST /send-otp")
    assert (check.facts["otp.outcome"], check.failed) == ("otp_not_found", False)
    assert (send.facts["otp.outcome"], send.failed) == ("invalid_phone_number", False)


def test_a_message_that_is_left_to_a_worker_is_in_a_trace_that_the_requests_names(
    scene: Scene, spans: Collector
) -> None:
    sent = scene.asking(Prefer="respond-async").send()
    request, queued = spans.one("POST /send-otp"), spans.one("queue message")
    handled = spans.one("handle message")
    assert names(spans.within(request)) == ["issue"]
    assert (queued.kind, handled.kind) == ("producer", "consumer")
    assert request.links == [(queued.trace, queued.id)]
    assert queued.links == [(request.trace, request.id)]
    assert queued.trace == handled.trace == sent.id[1:]
    assert queued.parent == handled.parent == ""
    assert queued.facts == handled.facts
    assert handled.facts["otp.verification_id"] == sent.id
    assert names(spans.within(handled)) == ["send gupshup", "submitted"]


def test_each_time_that_a_worker_looks_at_a_message_is_in_its_trace(
    scene: Scene, spans: Collector
) -> None:
    scene.simulator.script(next=1, fault="http:503")
    sent = scene.asking(Prefer="respond-async").send()
    scene.comes_to(sent, "whatsapp delivered")
    until(lambda: len(spans.named("handle message")) == 2)
    first, second = spans.named("handle message")
    assert first.trace == second.trace == sent.id[1:]
    assert (first.facts["otp.tries"], second.facts["otp.tries"]) == (0, 1)
    assert names(spans.within(first)) == ["send gupshup", "postpone"]


def test_polling_leaves_no_trace(scene: Scene, spans: Collector) -> None:
    for path in ("/health", "/ready", "/metrics"):
        assert scene.http.get(path).status_code == 200
    scene.verify("123456")
    spans.one("POST /verify-otp")
    assert {span.name for span in spans.spans} == {"POST /verify-otp", "check_code"}


def test_an_outage_shows_which_home_failed_and_which_took_it(
    sqlite_url: str, spans: Collector, tmp_path: Path
) -> None:
    nobody = misbehaving.closed_port_url().removeprefix("http://")
    homes = {"DATABASE_URL": f"postgresql://{nobody}otp", "FALLBACK_DATABASE_URL": sqlite_url}
    app = create_app(homes | {"OTP_SECRET": SECRET} | spans.settings, instance=tmp_path)
    with dependencies_of(app).exporting_spans():
        app.test_client().post("/send-otp", json={"phone_number": PHONE})
        request = spans.one("POST /send-otp")
    failed, *_, issued = spans.named("issue")
    assert {failed.parent, issued.parent} == {request.id}
    assert (failed.facts["otp.home"], failed.facts["error.type"]) == ("primary", "HomeUnreachable")
    assert (issued.facts["otp.home"], issued.failed) == ("fallback", False)
    assert (request.facts["otp.outcome"], request.failed) == ("ok", False)


def test_what_nobody_foresaw_is_told_by_its_type_and_ends_its_span(
    scene: Scene, spans: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError(PHONE)

    monkeypatch.setattr(OtpService, "verify", broken)
    scene.verify("123456")
    request = spans.one("POST /verify-otp")
    assert (request.failed, request.facts["error.type"]) == (True, "internal_error")
    scene.get("s")
    assert spans.one("GET /verifications/{id}").trace != request.trace
    assert PHONE[1:] not in spans.text


def test_lines_of_the_log_tell_to_which_span_they_belong(
    log: Log, scene: Scene, spans: Collector
) -> None:
    scene.verify("123456")
    request = spans.one("POST /verify-otp")
    (line,) = [line for line in log.lines if line["event"] == "request"]
    assert (line["trace_id"], line["span_id"]) == (request.trace, request.id)
    assert all("trace_id" not in line for line in log.lines if "request_id" not in line)
