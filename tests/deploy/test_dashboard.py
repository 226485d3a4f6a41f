"""Every query of the dashboard and every alert, asked of a Prometheus that watched a real run."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.deploy.alerts import ALERTS
from tests.deploy.dashboard import Query, interpolated, queries
from tests.deploy.selectors import selectors
from tests.deploy.watched import Watched, a_watched_service
from tests.system import need_program

EVERYTHING = {"job": "otp", "instance": ".+"}
QUERIES = list(queries())
OF_ALERTS = {name: str(rule["expr"]) for name, rule in ALERTS.items()}
EXPRESSIONS = {query.name: query.expr for query in QUERIES} | OF_ALERTS
IN_TROUBLE = {
    "OtpAccountNeedsItsOwner",
    "OtpErrors",
    "OtpProviderDown",
    "OtpProviderTellsOfTrouble",
    "OtpPumpingSuspected",
}
NOTHING_WAITS = {"Oldest message due", "Oldest receipt due", "Oldest event due"}
"""0 wherever a worker keeps up, as it does here."""
ROUGHLY = 0.25
"""PromQL guesses what was before the first sample and after the last: much of half a minute."""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    need_program("prometheus", package="prometheus")
    with a_watched_service(tmp_path_factory.mktemp("watched")) as service:
        yield service


def as_asked(watched: Watched, query: Query) -> str:
    """Without what makes a number of nothing, which would hide that there is nothing."""
    span = int(time.time() - watched.prometheus.began) + 1
    expr = interpolated(query, EVERYTHING, scrape=1, span=span)
    return expr.replace(" or vector(0)", "")


def test_every_query_has_something_to_show(watched: Watched) -> None:
    empty = []
    for query in QUERIES:
        expr = as_asked(watched, query)
        shown = watched.prometheus.query(expr) if query.instant else [0.0]
        ever = watched.prometheus.query_range(expr)
        if not shown or not (ever if query.panel in NOTHING_WAITS else any(ever)):
            empty.append(f"{query.name}: {expr}")
    assert empty == []


def test_the_funnel_counts_what_was_done(watched: Watched) -> None:
    counts = {
        query.legend: sum(watched.prometheus.query(as_asked(watched, query)))
        for query in QUERIES
        if query.panel == "From asked to verified"
    }
    assert counts["1 asked"] == pytest.approx(watched.traffic.asked, rel=ROUGHLY)
    assert counts["5 verified"] == pytest.approx(watched.traffic.verified, rel=ROUGHLY)


def test_no_alert_holds_in_good_times(watched: Watched) -> None:
    assert watched.in_good_times == set()


def test_every_alert_is_loaded_and_can_be_evaluated(watched: Watched) -> None:
    rules = watched.prometheus.rules()
    assert {rule["name"]: rule["health"] for rule in rules} == dict.fromkeys(ALERTS, "ok")


def test_alerts_hold_in_trouble_of_their_kind(watched: Watched) -> None:
    held = {name for name in IN_TROUBLE if watched.prometheus.query_range(OF_ALERTS[name])}
    assert held == IN_TROUBLE


def test_every_metric_and_label_that_is_asked_for_was_scraped(watched: Watched) -> None:
    for name, expr in EXPRESSIONS.items():
        for selector in selectors(expr):
            labels = watched.prometheus.labels_of(selector.metric)
            assert labels, f"{name}: {selector.metric} was never scraped"
            assert {matcher.label for matcher in selector.matchers} <= labels, (name, selector)
