"""The alerts as they are in their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"
Alert = dict[str, Any]


def _alerts() -> dict[str, Alert]:
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    found = {rule["alert"]: rule for rule in rules}
    assert len(found) == len(rules), "an alert is there twice"
    return found


ALERTS = _alerts()
TESTS: dict[str, Any] = yaml.safe_load((FOLDER / "alerts_test.yml").read_text())
