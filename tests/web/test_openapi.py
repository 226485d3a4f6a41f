"""The document says what the service does: schemathesis calls everything and finds nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from otp_service.web import auth
from otp_service.web.openapi import document_of
from tests.conftest import MakeApp, Serve, new_key
from tests.web.document import operations, resolved
from tests.web.hooks import callers

HERE = Path(__file__).parent


def schemathesis(url: str, *options: str) -> str:
    """What `st run` prints. Raises if it finds anything or runs for more than 4 minutes."""
    command = [str(Path(sys.executable).with_name("st")), "--config-file"]
    command += [str(HERE / "schemathesis.toml"), "run", url, "--no-color", *options]
    environ = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.web.schemathesis_hooks",
        "PYTHONPATH": str(HERE.parent.parent),
    }
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_schemathesis_finds_nothing(make_app: MakeApp, serve: Serve, tmp_path: Path) -> None:
    """With a key that may do everything, and without it, where the answer must be 401."""
    secret = "s" * 16  # without it webhooks would say 401 to all; Meta's are signed
    # Few phones for many calls: within the limits, or it finds that mostly refusals come.
    limits = {"OTP_CLIENT_REQUESTS": "off", "OTP_SEND_LIMITS": "1000/10m"}
    hooks = callers.SETTINGS | {"HOOK_LOGTO_TOKEN": secret}
    app = make_app(GUPSHUP_WEBHOOK_SECRET=secret, API_KEYS="required", **hooks, **limits)
    key = new_key(app, "all", *auth.SCOPES)
    headers = (f"--header=X-API-Key: {key}", f"--header=Authorization: {secret}")
    report = f"--report-junit-path={tmp_path / 'report.xml'}"
    options = ("--max-examples=25", "--seed=20261122", "--generation-database=none", report)
    found = schemathesis(
        f"{serve(app).url}/openapi.json", *options, *headers, "--exclude-path=/webhooks/meta"
    )
    assert "No issues found" in found


def test_schemathesis_would_find_a_lie(app: Flask, serve: Serve) -> None:
    document = document_of(app)
    lie = document.make()
    lie["paths"]["/health"]["get"]["responses"]["200"]["content"]["application/json"]["schema"][
        "required"
    ].append("uptime")
    document.make = lambda: lie
    with pytest.raises(AssertionError, match="Response violates schema"):
        schemathesis(f"{serve(app).url}/openapi.json", "--include-path=/health")


def test_the_document_is_valid_openapi_3_1(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()
    assert document["openapi"] == "3.1.0"
    validate(document)


def test_the_document_is_made_once_however_many_ask_at_once(app: Flask) -> None:
    document = document_of(app)
    make, made = document.make, list[str]()

    def slowly() -> dict[str, Any]:
        made.append("a document")
        time.sleep(0.05)
        return make()

    document.make = slowly
    app.test_client().get("/health")
    assert not made
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda _: document.text(), range(8)))
    assert len(made) == 1
    assert len(set(texts)) == 1


def test_making_the_document_changes_nothing_that_it_is_made_of(app: Flask) -> None:
    make = document_of(app).make
    assert json.dumps(make()) == json.dumps(make())


def test_every_answer_has_an_example(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            for content in resolved(document, response).get("content", {}).values():
                assert content["examples"], f"{name} {status}"


def test_every_route_is_described(app: Flask) -> None:
    routes = {re.sub(r"<string[^>]*:(\w+)>", r"{\1}", r.rule) for r in app.url_map.iter_rules()}
    assert routes - set(document_of(app).make()["paths"]) == {"/static/<path:filename>"}


def test_with_a_real_sender_there_is_no_sandbox(make_app: MakeApp) -> None:
    app = make_app(
        GUPSHUP_API_KEY="k" * 20,
        GUPSHUP_SOURCE="917834811114",
        GUPSHUP_TEMPLATE_ID="t",
        GUPSHUP_SRC_NAME="DemoApp",
    )
    assert not [path for path in document_of(app).make()["paths"] if "sandbox" in path]
    assert app.test_client().get("/sandbox").status_code == 404
