"""What the compose files promise of Prometheus and Grafana: little power, and nobody else's ear."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.alerts import FOLDER
from tests.deploy.dashboard import ROOT

Json = dict[str, Any]


def compose(name: str) -> Json:
    content: Json = yaml.safe_load((ROOT / name).read_text())
    return content


PRODUCTION = compose("docker-compose.prod.yml")
DEVELOPMENT = compose("docker-compose.yml")
SERVICES: dict[str, Json] = PRODUCTION["services"]
WATCHERS = {"prometheus", "grafana"}
OFF = [
    "GF_AUTH_ANONYMOUS_ENABLED",
    "GF_USERS_ALLOW_SIGN_UP",
    "GF_ANALYTICS_REPORTING_ENABLED",
    "GF_ANALYTICS_CHECK_FOR_UPDATES",
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES",
    "GF_NEWS_NEWS_FEED_ENABLED",
]


def mounts(service: Json) -> dict[str, str]:
    """Of files of this repository, by their place in the container."""
    pairs = [each.split(":") for each in service["volumes"] if each.startswith("./")]
    assert all(mode == "ro" for _, _, mode in pairs)
    return {place: file for file, place, _ in pairs}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_in_production_each_service_can_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "cpus", "pids_limit", "restart", "logging"} <= service.keys()
    assert all("noexec,nosuid,nodev" in each for each in service["tmpfs"])


def test_they_are_there_only_when_asked_for() -> None:
    for file in (PRODUCTION, DEVELOPMENT):
        assert {
            name for name, each in file["services"].items() if each.get("profiles") == ["observe"]
        } == WATCHERS


def test_their_images_are_of_one_release_in_both_files() -> None:
    for name in WATCHERS:
        image = SERVICES[name]["image"]
        assert re.fullmatch(r"\w+/\w+:v?\d+\.\d+\.\d+", image)
        assert image == DEVELOPMENT["services"][name]["image"]


@pytest.mark.parametrize("file", [PRODUCTION, DEVELOPMENT], ids=["production", "development"])
def test_they_are_published_on_this_machine_only(file: Json) -> None:
    for name in WATCHERS:
        (port,) = file["services"][name]["ports"]
        assert port.startswith("127.0.0.1:")


def test_only_prometheus_reaches_the_service() -> None:
    networks = {name: set(service["networks"]) for name, service in SERVICES.items()}
    assert networks["prometheus"] & networks["app"] == {"scrape"}
    assert PRODUCTION["networks"]["scrape"]["internal"] is True
    assert networks["grafana"] & networks["prometheus"] == {"watch"}
    assert not networks["grafana"] & (networks["app"] | networks["db"])
    assert not networks["prometheus"] & networks["db"]


def test_grafana_lets_in_nobody_without_the_password_and_tells_nobody_that_it_runs() -> None:
    environment = SERVICES["grafana"]["environment"]
    assert {name: environment[name] for name in OFF} == dict.fromkeys(OFF, "false")
    assert environment["GF_SECURITY_ADMIN_PASSWORD"] == "${GRAFANA_ADMIN_PASSWORD:-}"
    script = SERVICES["grafana"]["entrypoint"][-1]
    assert script.startswith('[ -n "$$GF_SECURITY_ADMIN_PASSWORD" ] || ')
    assert script.endswith("exec /run.sh")


@pytest.mark.parametrize("file", [PRODUCTION, DEVELOPMENT], ids=["production", "development"])
def test_what_they_mount_is_there_and_where_their_configuration_looks(file: Json) -> None:
    prometheus, grafana = (mounts(file["services"][name]) for name in ("prometheus", "grafana"))
    assert all((ROOT / path).exists() for path in [*prometheus.values(), *grafana.values()])
    config = yaml.safe_load((ROOT / prometheus["/etc/prometheus/prometheus.yml"]).read_text())
    assert set(config["rule_files"]) <= prometheus.keys()
    (secret,) = file["services"]["prometheus"]["secrets"]
    assert key_file(config) == f"/run/secrets/{secret}"
    provider = ROOT / grafana["/etc/grafana/provisioning/dashboards"] / "otp.yml"
    (dashboards,) = yaml.safe_load(provider.read_text())["providers"]
    assert (ROOT / grafana[dashboards["options"]["path"]] / "otp.json").exists()


def key_file(config: Json) -> str:
    return str(config["scrape_configs"][0]["authorization"]["credentials_file"])


def test_prometheus_does_there_what_it_does_elsewhere() -> None:
    """But for where the service, the key and the rules are."""
    here = yaml.safe_load((ROOT / "deploy/compose/prometheus.yml").read_text())
    there = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    for config in (here, there):
        (job,) = config["scrape_configs"]
        job["authorization"]["credentials_file"] = job["static_configs"] = None
        config["rule_files"] = [Path(name).name for name in config["rule_files"]]
    assert here == there
