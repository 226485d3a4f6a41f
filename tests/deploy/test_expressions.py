"""No query of the dashboard and no alert looks for a value that can never be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.deploy.alerts import ALERTS
from tests.deploy.dashboard import queries
from tests.deploy.selectors import selectors
from tests.deploy.vocabulary import FREE, vocabulary

EXPRESSIONS = {query.name: query.expr for query in queries()} | {
    name: str(rule["expr"]) for name, rule in ALERTS.items()
}


def impossible(expr: str, app: Flask) -> Iterator[str]:
    words = vocabulary(app, set(ALERTS))
    for selector in selectors(expr):
        for matcher in selector.matchers:
            if matcher.label in FREE:
                continue
            known = words.get(f"{selector.metric}.{matcher.label}") or words[matcher.label]
            for wanted in matcher.wanted:
                if not any(matcher.can_be(wanted, value) for value in known):
                    yield f"{selector.metric} {matcher.label} {wanted}"


def test_each_asks_for_something_that_can_be(app: Flask) -> None:
    assert [name for name, expr in EXPRESSIONS.items() if not list(selectors(expr))] == []
    found = {name: list(impossible(expr, app)) for name, expr in EXPRESSIONS.items()}
    assert {name: values for name, values in found.items() if values} == {}


@pytest.mark.parametrize(
    ("expr", "found"),
    [
        ('rate(otp_http_requests_total{route=~"/send-otp|/sent-otp"}[5m])', ["/sent-otp"]),
        ('sum by (outcome) (otp_provider_calls_total{outcome!="acceptd"})', ["acceptd"]),
        ('otp_receipts_total{provider="any", status="200"}', ["200"]),
        ('otp_receipts_total{status=~"del.*"} > on (job) otp_http_requests_total', []),
    ],
)
def test_what_can_not_be_is_found(app: Flask, expr: str, found: list[str]) -> None:
    assert [each.split()[-1] for each in impossible(expr, app)] == found
