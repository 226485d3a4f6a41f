"""Codes, keys and whole phone numbers: sent through every path, and then looked for everywhere."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest
import requests

from otp_service.domain.phone import mask
from otp_service.storage.models.base import engines_of
from otp_service.web.request_log import POLLED
from tests.faults.waiting import until
from tests.observability.collector import Seen
from tests.security import other_systems
from tests.security.canary import (
    FIXED_CODE,
    SECRETS,
    TEST_PHONE,
    Canary,
)
from tests.security.tour import Tour
from tests.security.traffic import TRACE
from tests.storage import helpers
from tests.storage.helpers import wrong
from tests.web.hooks import callers

pytestmark = pytest.mark.statement(13)


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
        body.pop("to", None)  # Twilio's name for it
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
    assert min(tour.canary.phones - {TEST_PHONE}).encode() in tour.stored[-1]
    for stored in tour.stored:
        assert tour.canary.found_in(stored, stored=True) == set()


def test_what_others_gave_us_is_sealed_until_it_is_out_or_its_time_is_over(tour: Tour) -> None:
    until(lambda: set(tour.sealed()) <= {"queued"})  # and those of which no provider knows
    (engine,) = engines_of(tour.app)
    helpers.pass_time(engine, 601)
    until(lambda: not tour.sealed())


def test_all_who_hand_over_codes_were_served_and_refused(tour: Tour) -> None:
    answered = {(urlsplit(each.url).path, each.status_code) for each in tour.traffic.answers}
    for path in ("/messages", *(caller.path for caller in callers.ALL), other_systems.CHECK):
        statuses = {status for asked, status in answered if asked == path}
        assert statuses & {200, 202, 204}, path
        assert statuses & {400, 401, 404}, path


def test_no_event_holds_a_code_or_a_key(tour: Tour) -> None:
    for event in tour.traffic.simulator.events():
        assert event.verified, event.problem
        told = f"{event.headers} {event.body}"
        assert tour.canary.found_in(told, stored=True) == set()


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
