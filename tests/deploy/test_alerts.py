"""What Prometheus is given: a configuration that it takes, and alerts that are tested."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.alerts import ALERTS, FOLDER, TESTS
from tests.system import need_program


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = need_program("promtool", package="prometheus")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def test_prometheus_takes_the_folder_as_it_is_with_a_key_in_it(tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "prometheus")
    (folder / "otp.key").write_text("otp_…")
    checked = promtool("check", "config", folder / "prometheus.yml")
    assert checked.returncode == 0, checked.stderr
    assert f"{len(ALERTS)} rules found" in checked.stdout


def test_the_rules_and_their_tests_hold() -> None:
    assert promtool("check", "rules", FOLDER / "alerts.yml").returncode == 0
    tested = promtool("test", "rules", FOLDER / "alerts_test.yml")
    assert tested.returncode == 0, tested.stdout


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_long_how_bad_what_it_is_and_where_to_read_on(name: str) -> None:
    alert = ALERTS[name]
    assert set(alert) == {"alert", "expr", "for", "labels", "annotations"}
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert list(alert["annotations"]) == ["summary", "description", "runbook"]
    summary, description, runbook = alert["annotations"].values()
    assert summary.endswith(".")
    assert description.endswith(".")
    assert runbook == f"docs/runbook.md#{name.lower()}"


def of_alert(name: str, test: dict[str, Any]) -> list[dict[str, Any]]:
    checks = [c for c in test.get("alert_rule_test", []) if c["alertname"] == name]
    expressions = test.get("promql_expr_test", [])
    return checks + [c for c in expressions if f'alertname="{name}"' in c["expr"]]


@pytest.mark.parametrize("name", ALERTS)
def test_no_alert_lacks_a_test_that_fires_it_and_one_that_does_not(name: str) -> None:
    checks = [check for test in TESTS["tests"] for check in of_alert(name, test)]
    expected = [check["exp_alerts"] for check in checks if "exp_alerts" in check]
    assert any(expected), "none fires it"
    assert not all(expected), "none says when it does not fire"


def outcome(name: str, folder: Path, **changes: str) -> int:
    """Of the alert's own tests, with this in place of its own."""
    rule = ALERTS[name] | changes
    rules = {"groups": [{"name": "otp", "rules": [rule]}]}
    (folder / "alerts.yml").write_text(yaml.safe_dump(rules))
    tests = [test for test in TESTS["tests"] if of_alert(name, test)]
    (folder / "test.yml").write_text(yaml.safe_dump(TESTS | {"tests": tests}, sort_keys=False))
    return promtool("test", "rules", folder / "test.yml").returncode


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_that_never_or_always_fires_is_found_out(name: str, tmp_path: Path) -> None:
    expression = str(ALERTS[name]["expr"])
    assert outcome(name, tmp_path, expr=f"({expression}) == 1e99") != 0
    assert outcome(name, tmp_path, expr=f"({expression}) or vector(1)") != 0
    assert outcome(name, tmp_path) == 0


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_that_does_not_wait_as_long_as_it_should_is_found_out(
    name: str, tmp_path: Path
) -> None:
    assert outcome(name, tmp_path, **{"for": "0s"}) != 0
