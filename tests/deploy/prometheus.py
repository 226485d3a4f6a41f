"""A real Prometheus with the configuration of deploy/, and what it is asked over HTTP."""

from __future__ import annotations

import math
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import requests
import yaml
from typing_extensions import Self

from tests.deploy.alerts import FOLDER
from tests.faults.loopback import LOOPBACK, free_port
from tests.faults.waiting import until
from tests.system import need_program

PATIENCE = 60  # seconds for a start that takes one or two on an idle machine


def configure(folder: Path, target: str, key: str) -> None:
    """Make it that of deploy/prometheus, for this target ("host:port") and key, each second.

    Alerts fire as soon as they hold: nobody waits for minutes here.
    """
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    config["global"] = dict.fromkeys(config["global"], "1s")
    (job,) = config["scrape_configs"]
    job["static_configs"] = [{"targets": [target]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (folder / job["authorization"]["credentials_file"]).write_text(key)
    for name in config["rule_files"]:
        rules = re.sub(r"^( +for:).*", r"\1 0s", (FOLDER / name).read_text(), flags=re.MULTILINE)
        (folder / name).write_text(rules)


class Prometheus:
    """As a folder configures it, until it is left. ``began`` is in seconds of the epoch."""

    def __init__(self, folder: Path) -> None:
        address = f"{LOOPBACK}:{free_port()}"
        self.url = f"http://{address}"
        self.began = time.time()
        self._log = (folder / "prometheus.log").open("w")
        self._process = subprocess.Popen(
            [
                need_program("prometheus", package="prometheus"),
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=self._log,
            stderr=self._log,
        )

    def __enter__(self) -> Self:
        until(self._is_up, PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._log.close()

    def query(self, expr: str) -> list[float]:
        """The finite values that this is now."""
        now = self._ask("query", query=expr)["result"]
        values = [each["value"] for each in now] if isinstance(now[:1], list) else []
        return _finite(values)

    def query_range(self, expr: str) -> list[float]:
        """The finite values that this was in each second since the first scrape."""
        times = {"start": self.began, "end": time.time(), "step": 1}
        series = self._ask("query_range", query=expr, **times)["result"]
        return _finite([value for each in series for value in each["values"]])

    def labels_of(self, metric: str) -> set[str]:
        """The names of labels that samples of this metric have; none if it was never seen."""
        found: list[dict[str, str]] = self._ask("series", **{"match[]": metric})
        return {label for series in found for label in series}

    def rules(self) -> list[dict[str, Any]]:
        """The alerts, as loaded: ``name``, ``query``, ``health``, ``state``."""
        groups = self._ask("rules")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def wait_for_scrape(self) -> None:
        """Until one that began after this moment has been stored."""
        now = time.time()
        until(lambda: max(self.query("timestamp(otp_build_info)"), default=0) > now, PATIENCE)

    def _is_up(self) -> bool:
        assert self._process.poll() is None, Path(self._log.name).read_text()
        try:
            return requests.get(f"{self.url}/-/ready", timeout=PATIENCE).ok
        except requests.ConnectionError:
            return False

    def _ask(self, what: str, **parameters: str | float) -> Any:
        answer = requests.post if what.startswith("query") else requests.get
        told = answer(f"{self.url}/api/v1/{what}", parameters, timeout=PATIENCE).json()
        assert told["status"] == "success", f"{parameters}: {told}"
        assert not told.get("warnings"), f"{parameters}: {told['warnings']}"
        return told["data"]


def _finite(values: list[list[Any]]) -> list[float]:
    """Of pairs of a time and a number as text; a division by nothing is none."""
    return [value for _, text in values if math.isfinite(value := float(text))]
