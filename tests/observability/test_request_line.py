"""The line that a request leaves in the log."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import MakeApp
from tests.observability.logs import MASKED, OURS, PHONE, Log


def test_every_line_of_a_request_has_its_id_and_no_other_line(log: Log, app: Flask) -> None:
    view = app.view_functions["ops.health"]

    def chatty() -> Any:
        OURS.info("in the view")
        return view()

    app.view_functions["ops.health"] = chatty
    for request_id in ("one", "two"):
        app.test_client().get("/health", headers={"X-Request-ID": request_id})
        OURS.info("between")
    told = [(line["event"], line.get("request_id")) for line in log.lines]
    assert told == [
        ("in the view", "one"),
        ("request", "one"),
        ("between", None),
        ("in the view", "two"),
        ("request", "two"),
        ("between", None),
    ]


def test_the_request_line_is_for_programs(log: Log, make_app: MakeApp) -> None:
    client = make_app().test_client()
    body = {"phone_number": PHONE, "otp": "123456"}
    answer = client.post("/verify-otp", json=body)
    (line,) = log.lines
    assert list(line)[:5] == ["timestamp", "level", "logger", "event", "request_id"]
    assert line.pop("ms") > 0
    assert line.pop("timestamp")
    assert line == {
        "level": "info",
        "logger": "otp_service.web.request_log",
        "event": "request",
        "request_id": answer.headers["X-Request-ID"],
        "method": "POST",
        "route": "/verify-otp",
        "status": 200,
        "refusal": "otp_not_found",
        "client": "public",
    }


def test_nobody_is_named_where_the_key_is_unknown(log: Log, make_app: MakeApp) -> None:
    make_app(API_KEYS="required").test_client().get("/debug/whatsapp")
    (line,) = (line for line in log.lines if line["event"] == "request")
    assert (line["status"], line.get("client")) == (401, None)


def test_polled_routes_are_for_debugging(log: Log, client: FlaskClient) -> None:
    client.get("/health")
    assert [line["level"] for line in log.lines] == ["debug"]


@pytest.mark.statement(13, 14)
def test_the_request_line_has_nothing_that_the_caller_made_up(
    log: Log, client: FlaskClient
) -> None:
    client.open("/verifications/123456?code=123456", method="123456")
    client.get(f"/{PHONE}/123456", headers={"X-Request-ID": PHONE[1:]})
    assert [line["route"] for line in log.lines] == ["(none)"] * 2
    assert [line["method"] for line in log.lines] == ["OTHER", "GET"]
    assert log.lines[1]["request_id"] == MASKED
    assert "123456" not in re.sub('"(timestamp|request_id)": "[^"]*"', "", log.text)
