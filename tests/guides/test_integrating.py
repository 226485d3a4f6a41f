"""docs/integrating.md: its table of errors is the API's, and its commands end as it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
from flask import Flask, request

from otp_service import create_app
from otp_service.web.openapi import document_of
from tests.conftest import SECRET, LiveServer
from tests.faults.loopback import free_port
from tests.faults.waiting import PATIENCE
from tests.guides.pages import ROOT, blocks, page, table
from tests.system import need_program

PAGE = page("integrating.md")
EXAMPLES = ROOT / "docs" / "examples"
ROWS = table(PAGE, "`error.code` | status")
CALLS = {
    "send": "/send-otp",
    "resend": "/resend-otp",
    "verify": "/verify-otp",
    "message": "/messages",
}
Told = dict[str, tuple[str, set[str]]]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a server that wants keys says of its API."""
    folder = tmp_path_factory.mktemp("service")
    settings = {"DATABASE_URL": f"sqlite:///{folder / 'otp.db'}", "OTP_SECRET": SECRET}
    app = create_app(settings | {"API_KEYS": "required"}, instance=folder)
    return document_of(app).make()


def refusals(document: dict[str, Any], path: str) -> list[tuple[str, str, bool]]:
    """Each code that a call may answer: its status, and whether it says how long to wait."""
    found = []
    for status, response in document["paths"][path]["post"]["responses"].items():
        name = response.get("$ref", "").rpartition("/")[2]
        whole = document["components"]["responses"][name] if name else response
        examples = whole["content"]["application/json"]["examples"]
        waits = "Retry-After" in whole.get("headers", {})
        found += [(code, status, waits) for code in examples if code != "success"]
    return found


def test_each_code_of_the_calls_has_its_row_and_none_is_invented(document: dict[str, Any]) -> None:
    answered: Told = {}
    for name, path in CALLS.items():
        for code, status, _ in refusals(document, path):
            answered.setdefault(code, (status, set()))[1].add(name)
    told: Told = {}
    for code, status, calls, show, then in ROWS:
        assert show, code
        assert then, code
        told[code.strip("`")] = (status, set(calls.split(", ")))
    assert told == answered


def test_what_tells_to_wait_says_how_long(document: dict[str, Any]) -> None:
    """The N of the table comes with the answer, and with every 409, 429 and 503."""
    all_of_them = [each for path in CALLS.values() for each in refusals(document, path)]
    waits = {code for code, _, waits in all_of_them if waits}
    assert {code for code, status, _ in all_of_them if status in {"409", "429", "503"}} == waits
    needs = {row[0].strip("`") for row in ROWS if " N seconds" in "".join(row[3:])}
    needs |= {row[0].strip("`") for row in ROWS if " N minutes" in row[3]}
    assert needs
    assert needs <= waits


SYSTEMS = sorted((ROOT / "docs" / "integrations").glob("*.md"))
CODES_OF_THEIRS = [path for path in SYSTEMS if path.name != "twilio.md"]  # that is an API of ours


@pytest.mark.parametrize("path", CODES_OF_THEIRS, ids=lambda path: path.stem)
def test_the_pages_of_other_systems_are_one_set(path: Path) -> None:
    title, *headings = re.findall(r"^##? (.*)$", path.read_text(), re.M)
    assert ": its codes over WhatsApp" in title
    expected = [
        "Try it, without an account",
        r"Connect your \w+",
        "What is done with a message",
        "What people see",
        "Another (secret|token|key)",
        "What is not possible",
        "If it does not work",
    ]
    assert re.fullmatch(";".join(expected), ";".join(headings))


@pytest.mark.parametrize("path", SYSTEMS, ids=lambda path: path.stem)
def test_each_of_them_is_found_from_the_guide_and_from_the_readme(path: Path) -> None:
    assert f"(integrations/{path.name})" in PAGE
    assert f"(docs/integrations/{path.name})" in (ROOT / "README.md").read_text()


QUOTES = re.findall(r"\]\((examples/[^)]+)\):\n\n```\w+\n(.*?)```", PAGE, re.S)


@pytest.mark.parametrize(("file", "quoted"), QUOTES)
def test_what_is_quoted_of_an_example_stands_there(file: str, quoted: str) -> None:
    assert f"\n\n{quoted}" in page(file)


def test_the_sending_and_the_checking_of_the_examples_are_quoted() -> None:
    assert len(QUOTES) == PAGE.count("In Flask, from") + PAGE.count("In Express, from") >= 6


def in_flask() -> dict[str, str]:
    words: dict[str, str] = run_path(str(EXAMPLES / "flask" / "app.py"))["WORDS"]
    return words


def in_express() -> dict[str, str]:
    script = (EXAMPLES / "express" / "server.js").read_text()
    later = re.findall(r'LATER = "(.*)"', script)[0]
    words = script.partition("const WORDS = {")[2].partition("\n};")[0]
    found = re.findall(r'^  (\w+): ["`](.*)["`],', words, re.M)
    return {code: text.replace("${LATER}", later) for code, text in found}


@pytest.mark.parametrize("words", [in_flask, in_express])
def test_the_examples_show_the_words_of_the_table(words: Callable[[], dict[str, str]]) -> None:
    table_says = {row[0].strip("`"): row[3] for row in ROWS}
    compared = words().keys() & table_says.keys() - {"idempotency_in_progress"}
    assert len(compared) >= 10
    for code in compared:
        shown = re.escape(words()[code]).replace(r"\{tries\}", "N tries")
        shown = shown.replace(r"\{wait\}", "N (seconds|minutes)")
        assert re.match(shown, table_says[code]), code


def curled(shown: str, server: LiveServer) -> dict[str, Any]:
    """The answer to a command as a page shows it."""
    need_program("curl", package="curl")
    command = shown.replace("http://localhost:8000", server.url)
    done = subprocess.run(
        [need_program("bash", package="bash"), "-ec", command],
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_the_commands_of_the_page_sign_somebody_in(live_server: LiveServer) -> None:
    shown = [each for each in blocks(PAGE, "bash") if each.startswith("curl -X POST")]
    messages = [curled(each, live_server)["message"] for each in shown]
    assert messages == [
        "OTP sent successfully",
        "OTP verified successfully",
        "Message will be sent",
    ]


def test_what_keycloak_sends_is_shown_as_a_command(live_server: LiveServer) -> None:
    (shown,) = blocks(page("integrations/keycloak.md"), "bash")
    assert curled(shown, live_server)["message"] == "Message sent"


def test_the_sign_in_in_ci_ends_in_success(tmp_path: Path) -> None:
    need_program("curl", package="curl")
    (script,) = (block for block in blocks(PAGE, "bash") if "OTP_TEST_NUMBERS" in block)
    port = str(free_port())
    here = script.replace("localhost:8000", f"127.0.0.1:{port}")
    here = here.replace(".venv/bin/python", sys.executable)
    settings = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'otp.db'}",
        "OTP_SECRET": SECRET,
        "PORT": port,
    }
    done = subprocess.run(
        [need_program("bash", package="bash"), "-e", "-o", "pipefail", "-c", here],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "OTP verified successfully" in done.stdout


def test_behind_a_proxy_flask_sees_the_address_that_the_proxy_saw() -> None:
    (block,) = (each for each in blocks(PAGE, "python") if "ProxyFix" in each)
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: str(request.remote_addr))
    exec(block, {"app": app})
    forged = {"X-Forwarded-For": "203.0.113.66, 198.51.100.7"}
    assert app.test_client().get("/", headers=forged).text == "198.51.100.7"
