"""The dashboard's file: one that Grafana reads, and that a stranger can read."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import pytest
import yaml

from tests.deploy.alerts import ALERTS
from tests.deploy.dashboard import DASHBOARD, GRAFANA, ROOT, panels

PANELS = panels()
VARIABLES = {each["name"]: each for each in DASHBOARD["templating"]["list"]}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
NAMED_COLOURS = re.compile(r"text|transparent|(?:(?:super-|semi-)?(?:light|dark)-)?[a-z]+")
each_panel = pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])


def provisioned(path: str) -> Any:
    return yaml.safe_load((GRAFANA / "provisioning" / path).read_text())


def colours(part: Any) -> list[str]:
    """Wherever a panel names one."""
    if isinstance(part, list):
        return [colour for each in part for colour in colours(each)]
    if not isinstance(part, dict):
        return []
    own = [part[name] for name in ("color", "fixedColor") if isinstance(part.get(name), str)]
    return own + colours(list(part.values()))


def test_each_part_has_an_id_of_its_own() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert len(PANELS) > 30


def test_no_two_parts_lie_on_each_other() -> None:
    for one, other in combinations(DASHBOARD["panels"], 2):
        a, b = one["gridPos"], other["gridPos"]
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        below = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert beside or below, (one["title"], other["title"])
        assert a["x"] + a["w"] <= 24


@each_panel
def test_it_says_what_it_shows_and_in_which_unit(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert len(panel["description"]) > 40
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert all(target["legendFormat"] for target in panel["targets"])


@each_panel
def test_it_asks_the_chosen_prometheus_about_the_chosen_servers(panel: dict[str, Any]) -> None:
    assert panel["datasource"] == SOURCE
    for target in panel["targets"]:
        assert target["datasource"] == SOURCE
        used = set(re.findall(r"\$\{?(\w+)", target["expr"]))
        assert used - {"__range", "__rate_interval"} <= VARIABLES.keys()
        of_servers = re.findall(r"(?:otp_\w+|\bup)\{([^}]*)\}", target["expr"])
        assert all('job=~"$job", instance=~"$instance"' in each for each in of_servers)
    letters = [target["refId"] for target in panel["targets"]]
    assert len(letters) == len(set(letters))


@each_panel
def test_its_colours_have_names_that_light_and_dark_themes_know(panel: dict[str, Any]) -> None:
    assert all(NAMED_COLOURS.fullmatch(colour) for colour in colours(panel["fieldConfig"]))


def test_panels_name_the_alerts_that_they_explain_and_leave_out_none() -> None:
    descriptions = " ".join(panel["description"] for panel in PANELS)
    assert set(re.findall(r"\bOtp[A-Z]\w+", descriptions)) == ALERTS.keys()


def test_every_metric_of_the_service_is_in_it() -> None:
    table = (ROOT / "docs" / "operating.md").read_text().partition("| metric | labels |")[2]
    metrics = re.findall(r"^\| `(otp_\w+)`", table, flags=re.MULTILINE)
    asked = " ".join(target["expr"] for panel in PANELS for target in panel["targets"])
    assert len(metrics) > 15
    assert [metric for metric in metrics if metric not in asked] == []


def test_its_variables_are_asked_of_the_chosen_prometheus() -> None:
    assert list(VARIABLES) == ["datasource", "job", "instance"]
    for name in ("job", "instance"):
        assert VARIABLES[name]["datasource"] == SOURCE
        assert VARIABLES[name]["multi"]
        assert VARIABLES[name]["includeAll"]


def test_grafana_finds_the_dashboard_and_prometheus() -> None:
    (source,) = provisioned("datasources/prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = provisioned("dashboards/otp.yml")["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"] == "/etc/grafana/dashboards"


def test_windows_are_taken_from_how_often_prometheus_scrapes() -> None:
    (source,) = provisioned("datasources/prometheus.yml")["datasources"]
    prometheus = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    assert source["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]
