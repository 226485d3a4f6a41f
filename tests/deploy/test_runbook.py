"""The runbook has a section for each alert, and what it names is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from otp_service.web.explanations import EXPLANATIONS
from tests.deploy.alerts import ALERTS
from tests.deploy.test_alerts import promtool
from tests.observability.test_metrics import ROWS

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
PARTS = ["At the sign-in page", "To see it", "Now", "Tomorrow"]
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
TABLE = re.findall(r"^\| \[(\w+)\]\(#\w+\) \| (\w+) \|", RUNBOOK, re.MULTILINE)


def test_every_alert_has_its_section_and_no_section_is_left_of_one_that_is_gone() -> None:
    assert list(SECTIONS) == list(ALERTS)


def test_the_table_at_its_head_has_every_alert_with_its_severity() -> None:
    assert [(name, alert["labels"]["severity"]) for name, alert in ALERTS.items()] == TABLE


@pytest.mark.parametrize("name", ALERTS)
def test_a_section_says_what_people_notice_how_to_see_it_and_what_to_do(name: str) -> None:
    assert re.findall(r"^\*\*(.+?):\*\*", SECTIONS[name], re.MULTILINE) == PARTS


def test_every_metric_that_it_asks_for_is_documented() -> None:
    suffixes = r"(_bucket|_count|_sum)$"
    named = {re.sub(suffixes, "", name) for name in re.findall(r"\botp_[a-z_]+_\w+", RUNBOOK)}
    metrics = named - EXPLANATIONS.keys()  # some codes of errors begin so, too
    assert metrics
    assert metrics <= {row[0] for row in ROWS}


def test_prometheus_understands_every_query_that_it_asks(tmp_path: Path) -> None:
    blocks = re.findall(r"```promql\n(.*?)```", RUNBOOK, re.DOTALL)
    queries = [line for block in blocks for line in block.splitlines()]
    assert len(queries) > 10
    rules = [{"record": f"query:{number}", "expr": each} for number, each in enumerate(queries)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "runbook", "rules": rules}]}))
    checked = promtool("check", "rules", file)
    assert checked.returncode == 0, checked.stderr


COMMANDS = sorted(set(re.findall(r"\./otp((?: (?!NAME)[a-z][\w-]*)*(?: --[\w-]+)?)", RUNBOOK)))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_it_names_exists(command: str) -> None:
    words = [word for word in command.split() if not word.startswith("--")]
    options = set(re.findall(r"--[\w-]+", command))
    helped = subprocess.run(
        [sys.executable, "-m", "otp_service", *words, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert helped.returncode == 0, helped.stderr
    assert options <= set(re.findall(r"--[\w-]+", helped.stdout))
