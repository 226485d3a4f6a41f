"""A release: its number is everywhere the same, and what it is made of can be told."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from otp_service.version import VERSION
from scripts import sbom

ROOT = Path(__file__).parent.parent
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
"""Of changes: keepachangelog.com/en/1.1.0."""


@pytest.mark.parametrize(
    "command",
    [
        ["./otp", "--version"],
        [sys.executable, "wsgi.py", "--version"],
    ],
    ids=["otp", "server"],
)
def test_commands_and_the_server_tell_the_version_whatever_the_settings(command: list[str]) -> None:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"OTP_LENGTH": "nonsense", "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{VERSION}\n", "")


def test_the_project_has_the_same_version() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    assert re.findall(r'^version = "(.*)"$', project, re.MULTILINE) == [VERSION]


def test_the_changelogs_newest_release_is_this_one_and_each_has_a_date() -> None:
    releases = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", CHANGELOG, re.MULTILINE)
    assert releases[0][0] == VERSION
    headings = re.findall(r"^## (.*)$", CHANGELOG, re.MULTILINE)
    assert len(releases) == len(headings) - headings.count("[Unreleased]")
    assert releases == sorted(releases, key=lambda each: each[1], reverse=True)


def test_changes_are_of_the_kinds_that_the_form_knows() -> None:
    assert set(re.findall(r"^### (.*)$", CHANGELOG, re.MULTILINE)) <= KINDS


def test_the_workflow_calls_the_targets_that_there_are() -> None:
    steps = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]
    runs = [step["run"] for step in steps if "run" in step and "apt-get" not in step["run"]]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert ".ci/run" in runs
    assert {run.removeprefix("make ") for run in runs} - {".ci/run"} <= targets


def test_actions_of_others_are_pinned_by_their_commit() -> None:
    text = (ROOT / ".github/workflows/ci.yml").read_text()
    for use in re.findall(r"uses: (.*)", text):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use), use


def test_a_job_may_do_no_more_than_read() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not [job for job in WORKFLOW["jobs"].values() if "permissions" in job]


@pytest.fixture(scope="module")
def document() -> sbom.Json:
    """Of the environment that runs the tests, which holds more than a release."""
    made = sbom.of_environment(Path(sys.executable))
    sbom.add_vendored(made, sbom.VENDORED.read_text())
    sbom.name_what_we_ask_for(made, (ROOT / "requirements.in").read_text())
    return made


def _named(document: sbom.Json) -> dict[str, Any]:
    return {each["name"].lower(): each for each in document["components"]}


def test_the_bill_of_materials_is_what_cyclonedx_says_it_is(document: sbom.Json) -> None:
    text = sbom.text(document)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert f'"version": "{VERSION}"' in text


def test_it_names_licences_and_the_pages_of_others(document: sbom.Json) -> None:
    named = _named(document)
    assert named["flask"]["licenses"][0]["license"]["id"] == "BSD-3-Clause"
    assert named["redoc"]["purl"].startswith("pkg:npm/redoc@")
    assert named["swagger-ui-dist"]["licenses"][0]["license"]["id"] == "Apache-2.0"


def test_it_tells_what_we_ask_for_from_what_that_brings_along(document: sbom.Json) -> None:
    root = document["metadata"]["component"]["bom-ref"]
    (ours,) = [each["dependsOn"] for each in document["dependencies"] if each["ref"] == root]
    named = _named(document)
    assert {named["flask"]["bom-ref"], named["redoc"]["bom-ref"]} <= set(ours)
    assert named["werkzeug"]["bom-ref"] not in ours


@pytest.mark.parametrize(
    "page", ["docs/deploying.md", "deploy/kubernetes/overlays/example/kustomization.yaml"]
)
def test_what_is_copied_to_a_server_names_this_release(page: str) -> None:
    named = re.findall(r"(?:\bv|otp-|api:|newTag: )(\d+\.\d+\.\d+)\b", (ROOT / page).read_text())
    following = re.sub(r"\d+$", lambda patch: str(int(patch[0]) + 1), VERSION)
    assert {VERSION} <= set(named) <= {VERSION, following}  # an upgrade is from it to the next
