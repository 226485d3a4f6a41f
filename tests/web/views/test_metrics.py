"""What `/metrics` answers, to whom, and that nothing of a caller's text gets into it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from otp_service.domain.errors import OtpError
from otp_service.observability.metrics import LIMITS, Metrics
from otp_service.settings import settings_of
from otp_service.web.error_handlers import STATUS
from otp_service.wording import COUNTED, REFUSALS
from tests.conftest import MakeApp, new_key
from tests.scrape import Scrape
from tests.storage.helpers import wrong

NUMBER = "+919876543210"
PHONE = {"phone_number": NUMBER}
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "OTHER"}


def scrape(client: FlaskClient) -> Scrape:
    return Scrape.of(client.get("/metrics").text)


def test_it_is_prometheus_text(client: FlaskClient) -> None:
    response = client.get("/metrics")
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert scrape(client).value("otp_build_info", version="1.0.0") == 1


def test_each_answer_is_counted_by_its_route_status_and_code(client: FlaskClient) -> None:
    code = client.post("/send-otp", json=PHONE).get_json()["data"]["otp"]
    for otp in (wrong(code), wrong(code), code, code):
        client.post("/verify-otp", json=PHONE | {"otp": otp})
    client.post("/verify-otp", json={})
    checks = {"method": "POST", "route": "/verify-otp"}
    found = scrape(client)

    def count(status: str, code: str) -> float | None:
        labels = checks | {"status": status, "code": code}
        return found.value("otp_http_requests_total", **labels)

    assert (count("200", "ok"), count("200", "invalid_otp")) == (1, 2)
    assert (count("200", "otp_not_found"), count("400", "invalid_request")) == (1, 1)
    assert found.value("otp_http_requests_total", route="/send-otp", code="ok") == 1
    seconds = "otp_http_request_duration_seconds"
    assert found.value(f"{seconds}_count", route="/verify-otp") == 5
    assert 0 < (found.value(f"{seconds}_sum", route="/verify-otp") or 0) < 60


def test_an_unexpected_failure_is_counted_as_one(app: Flask, client: FlaskClient) -> None:
    def broken() -> str:
        raise RuntimeError(NUMBER)

    app.view_functions["ops.health"] = broken
    assert client.get("/health").status_code == 500
    found = scrape(client)
    assert found.value("otp_http_requests_total", status="500", code="internal_error") == 1


@pytest.mark.statement(13)
def test_labels_hold_nothing_that_a_caller_wrote(app: Flask, client: FlaskClient) -> None:
    code = client.post("/send-otp", json=PHONE).get_json()["data"]["otp"]
    client.post("/verify-otp", json=PHONE | {"otp": code, "purpose": "canary"})
    for path in (f"/{NUMBER}", f"/verifications/{NUMBER}", f"/{code}?otp={code}", "//canary", "/é"):
        for method in ("GET", "POST", "DELETE", "CANARY", "get", f"X{code}"):
            client.open(path, method=method, headers={"X-Request-ID": "canary", "Host": "canary"})
    client.open("/send-otp", method="CANARY")
    text = client.get("/metrics").text
    for canary in (NUMBER[1:], "canary", "CANARY", "é"):
        assert canary not in text
    found = Scrape.of(text)
    rules = {rule.rule for rule in app.url_map.iter_rules() if "<" not in rule.rule}
    with_names = {"/verifications/{id}", "/docs/errors/{code}", "/static/{filename}"}
    assert found.labels("route") <= rules | with_names | {"(none)"}
    assert found.labels("method") <= METHODS
    assert {"OTHER", "GET"} <= found.labels("method")
    assert found.labels("status") <= {str(status) for status in range(200, 600)}
    errors: list[type[OtpError]] = list(STATUS)
    assert found.labels("code") <= {error.code for error in errors} | {"ok"}
    assert not [
        value
        for label in ("code", "method", "route")
        for value in found.labels(label)
        if code in value
    ]


def test_refusals_are_counted_by_the_limit_they_name(client: FlaskClient) -> None:
    for _ in range(7):
        client.post("/resend-otp", json=PHONE)
    assert scrape(client).value("otp_limit_refusals_total", limit="phone_sends") == 2


def test_what_is_refused_for_other_reasons_is_not_counted_as_a_limit(make_app: MakeApp) -> None:
    app = make_app(API_KEYS="required")
    key = _key(app, "reader", "read")
    assert app.test_client().post("/send-otp", json=PHONE).status_code == 401
    assert app.test_client().post("/send-otp", json=PHONE, headers=key).status_code == 403
    assert Scrape.of(app).value("otp_limit_refusals_total") is None


@pytest.mark.statement(13)
def test_a_limit_without_a_known_name_is_counted_as_other() -> None:
    metrics = Metrics()
    for details in ({"limit": NUMBER}, {"reason": NUMBER}, {}, {"limit": None}):
        metrics.limit_refusal(details)
    for reason in REFUSALS:
        metrics.limit_refusal({"reason": reason})
    found = Scrape.of(metrics.text().decode())
    assert found.labels("limit") == {"other", *REFUSALS}
    assert found.value("otp_limit_refusals_total", limit="other") == 4


def test_every_limit_that_there_is_has_a_known_name(make_app: MakeApp) -> None:
    app = make_app(
        API_KEYS="required",
        OTP_RESEND_COOLDOWN_SECONDS="30",
        OTP_PURPOSE_SEND_LIMITS="5/10m",
        OTP_CLIENT_REQUESTS="50/1s",
    )
    limits = settings_of(app).limits
    assert limits.client_requests
    found = (*limits.sends, *limits.phone_failures, limits.client_requests)
    found += (*limits.phone_refusals, *limits.client_refusals, limits.live_verifications)
    assert {limit.name for limit in found} == LIMITS - {
        "failures_in_a_row",
        "verification_attempts",
    }
    assert COUNTED.keys() == LIMITS - {"client_requests", "verification_attempts"}


def _key(app: Flask, name: str, *scopes: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {new_key(app, name, *scopes)}"}  # as Prometheus sends it


def test_where_keys_are_required_it_takes_one_that_may_read(make_app: MakeApp) -> None:
    app = make_app(API_KEYS="required")
    client = app.test_client()
    sender, reader = _key(app, "sender", "otp"), _key(app, "prometheus", "read")
    statuses = [client.get("/metrics", headers=h).status_code for h in ({}, sender, reader)]
    assert statuses == [401, 403, 200]


def test_a_route_is_told_as_the_documentation_writes_it(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    client.get("/verifications/p0123456789abcdef")
    client.get("/docs/errors/not_found")
    told = ["/verifications/{id}", "/docs/errors/{code}"]
    logged = [record.__dict__["route"] for record in caplog.records if "route" in record.__dict__]
    assert logged == told
    assert set(told) <= scrape(client).labels("route")


def test_a_scrape_leaves_no_line_in_the_log(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    client.get("/metrics")
    client.get("/ready")
    client.get("/nope")
    routes = [record.__dict__["route"] for record in caplog.records if "route" in record.__dict__]
    assert routes == ["(none)"]
