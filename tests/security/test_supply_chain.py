"""What is installed is what was looked at, and a container has little to give away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PRODUCTION = (ROOT / "docker-compose.prod.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()

pytestmark = pytest.mark.statement(22)


def pinned(name: str) -> list[str]:
    text = (ROOT / name).read_text()
    logical = re.sub(r"\\\n\s*", "", text)
    return [line for line in logical.splitlines() if line and not line.lstrip().startswith("#")]


@pytest.mark.parametrize(
    "name",
    [
        "requirements.txt",
        "requirements-granian.txt",
        "requirements-otel.txt",
        "requirements-dev.txt",
    ],
)
def test_every_dependency_is_pinned_with_its_hashes(name: str) -> None:
    assert len(pinned(name)) > 20
    for line in pinned(name):
        assert re.match(r"[a-z0-9.\[\],-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line, re.I), line


def test_granian_is_all_that_its_requirements_add() -> None:
    added = set(pinned("requirements-granian.txt")) ^ set(pinned("requirements.txt"))
    assert [line.partition("==")[0] for line in added] == ["granian"]


def test_tracing_changes_no_other_pin() -> None:
    missing = set(pinned("requirements.txt")) - set(pinned("requirements-otel.txt"))
    assert not missing


def test_it_is_installed_by_those_hashes_only() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (install,) = re.findall(r"^INSTALL := (.*)$", makefile, re.MULTILINE)
    makefile = makefile.replace("$(INSTALL)", install)
    for text in (makefile, DOCKERFILE):
        installs = re.findall(r"pip[^\n]*install(?:[^\n\\]|\\\n)*", text)
        of_ours = [each for each in installs if "requirements" in each]
        assert of_ours
        assert all("--require-hashes" in each for each in of_ours)


def test_the_container_runs_as_a_number_and_checks_its_health_without_curl() -> None:
    assert re.search(r"^USER [1-9]\d+:[1-9]\d+$", DOCKERFILE, re.MULTILINE)
    health = DOCKERFILE.partition("HEALTHCHECK")[2].partition("\n\n")[0]
    assert "curl" not in health
    assert "wget" not in health
    assert '"python"' in health


@pytest.mark.parametrize(
    "rule",
    ["read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "mem_limit:", "pids_limit:"],
)
def test_in_production_it_can_do_little(rule: str) -> None:
    assert rule in PRODUCTION
