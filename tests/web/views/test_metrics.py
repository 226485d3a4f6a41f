"""What `/metrics` answers, and to whom."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from otp_service.domain.limits import COUNTED
from otp_service.observability.metrics import LIMITS, Metrics
from otp_service.settings import settings_of
from otp_service.version import VERSION
from otp_service.wording import REFUSALS
from tests.conftest import MakeApp, new_key
from tests.scrape import Scrape

NUMBER = "+919876543210"


def scrape(client: FlaskClient) -> Scrape:
    return Scrape.of(client.get("/metrics").text)


def test_it_is_prometheus_text(client: FlaskClient) -> None:
    response = client.get("/metrics")
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert scrape(client).value("otp_build_info", version=VERSION) == 1


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
