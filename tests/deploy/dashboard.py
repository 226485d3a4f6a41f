"""The Grafana dashboard: its panels, and their queries as Grafana would ask them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "deploy" / "grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards" / "otp.json").read_text())
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class Query:
    """One of a panel's. ``interval`` is the panel's shortest step, in seconds."""

    panel: str
    legend: str
    expr: str
    instant: bool
    interval: int

    @property
    def name(self) -> str:
        return f"{self.panel}: {self.legend}"


def panels() -> list[dict[str, Any]]:
    """All but the rows."""
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def queries() -> Iterator[Query]:
    for panel in panels():
        interval = _seconds(panel.get("interval", "0s"))
        for target in panel["targets"]:
            instant = bool(target.get("instant"))
            yield Query(panel["title"], target["legendFormat"], target["expr"], instant, interval)


def _seconds(text: str) -> int:
    return int(text[:-1]) * _SECONDS[text[-1]]


def interpolated(query: Query, variables: dict[str, str], *, scrape: int, span: int) -> str:
    """With the values of this moment: ``scrape`` is the data source's interval, ``span`` how long
    a time is shown, both in seconds. Values of variables are taken as they are, as regular
    expressions; Grafana escapes what a person chose.
    """
    window = max(max(query.interval, 1) + scrape, 4 * scrape)
    values = variables | {"__rate_interval": f"{window}s", "__range": f"{span}s"}
    return re.sub(r"\$(\w+)", lambda found: values[found[1]], query.expr)
