"""Each request has an id, a line in the log and a count."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from otp_service.domain.errors import OtpError
from otp_service.web.error_handlers import STATUS
from tests.conftest import MakeApp, new_key
from tests.scrape import Scrape
from tests.storage.helpers import wrong

NUMBER = "+919876543210"
PHONE = {"phone_number": NUMBER}
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "OTHER"}


@pytest.mark.parametrize("theirs", ["order-66.b_C", "a", "x" * 64])
def test_the_callers_request_id_comes_back(client: FlaskClient, theirs: str) -> None:
    response = client.get("/health", headers={"X-Request-ID": theirs})
    assert response.headers["X-Request-ID"] == theirs


@pytest.mark.parametrize("theirs", ["", "x" * 65, "a b", "a;b", "ä"])
def test_a_request_id_of_another_form_is_replaced(client: FlaskClient, theirs: str) -> None:
    response = client.get("/health", headers={"X-Request-ID": theirs})
    assert response.headers["X-Request-ID"] != theirs
    assert len(response.headers["X-Request-ID"]) == 32


@pytest.mark.parametrize("path", ["/health", "/nope", "/docs", "/static/sandbox.css", "/ready"])
def test_every_response_has_an_id_and_is_not_stored(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.headers["X-Request-ID"]
    assert response.headers["Cache-Control"] == "no-store"


def test_each_answer_is_counted_by_its_route_status_and_code(client: FlaskClient) -> None:
    code = client.post("/send-otp", json=PHONE).get_json()["data"]["otp"]
    for otp in (wrong(code), wrong(code), code, code):
        client.post("/verify-otp", json=PHONE | {"otp": otp})
    client.post("/verify-otp", json={})
    checks = {"method": "POST", "route": "/verify-otp"}
    found = Scrape.of(client.get("/metrics").text)

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
    found = Scrape.of(client.get("/metrics").text)
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
    assert (
        Scrape.of(client.get("/metrics").text).value(
            "otp_limit_refusals_total", limit="phone_sends"
        )
        == 2
    )


def test_what_is_refused_for_other_reasons_is_not_counted_as_a_limit(make_app: MakeApp) -> None:
    app = make_app(API_KEYS="required")
    key = {"Authorization": f"Bearer {new_key(app, 'reader', 'read')}"}
    assert app.test_client().post("/send-otp", json=PHONE).status_code == 401
    assert app.test_client().post("/send-otp", json=PHONE, headers=key).status_code == 403
    assert Scrape.of(app).value("otp_limit_refusals_total") is None


def test_a_route_is_told_as_the_documentation_writes_it(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    client.get("/verifications/p0123456789abcdef")
    client.get("/docs/errors/not_found")
    told = ["/verifications/{id}", "/docs/errors/{code}"]
    logged = [record.__dict__["route"] for record in caplog.records if "route" in record.__dict__]
    assert logged == told
    assert set(told) <= Scrape.of(client.get("/metrics").text).labels("route")


def test_a_scrape_leaves_no_line_in_the_log(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    client.get("/metrics")
    client.get("/ready")
    client.get("/nope")
    routes = [record.__dict__["route"] for record in caplog.records if "route" in record.__dict__]
    assert routes == ["(none)"]
