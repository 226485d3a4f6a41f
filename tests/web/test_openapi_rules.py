"""What linters and generators of clients ask of an OpenAPI document."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from copy import deepcopy
from pathlib import Path

import pytest

from otp_service.web import auth
from otp_service.web.example_refusals import REFUSALS
from otp_service.web.openapi import document_of
from tests.conftest import MakeApp
from tests.system import TOOLS, need_tool, node
from tests.web.document import Json, all_in, operations, resolved
from tests.web.hooks.callers import SETTINGS as HOOKS

SETTINGS = {
    "the sandbox": {},
    "a real sender": {
        "GUPSHUP_API_KEY": "k" * 20,
        "GUPSHUP_SOURCE": "917834811114",
        "GUPSHUP_TEMPLATE_ID": "t",
        "GUPSHUP_SRC_NAME": "DemoApp",
        "API_KEYS": "required",
        "OTP_PROOF": "phone",
        **HOOKS,
    },
}


@pytest.fixture(params=SETTINGS)
def document(request: pytest.FixtureRequest, make_app: MakeApp) -> Json:
    """What `/openapi.json` answers, with either kind of settings."""
    client = make_app(**SETTINGS[request.param]).test_client()
    found: Json = client.get("/openapi.json").get_json()
    return found


def test_every_operation_says_what_it_is(document: Json) -> None:
    for name, operation in operations(document):
        assert operation["operationId"], name
        assert operation["summary"], name
        assert operation["description"], name
        assert len(operation["tags"]) == 1, name


def test_names_of_operations_are_used_once(document: Json) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))


def test_tags_are_described_and_in_the_order_of_the_work(document: Json) -> None:
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}
    assert list(tags) == [
        "Codes", "Verifications", "Messages", "Twilio", "Webhooks", "Operations", "Debugging",
        "Pages",
    ]  # fmt: skip
    assert all(tags.values())
    assert {operation["tags"][0] for _, operation in operations(document)} == set(tags)


def test_it_works_wherever_it_is_deployed(document: Json) -> None:
    assert [server["url"] for server in document["servers"]] == ["/"]


def test_the_service_says_who_answers_for_it_and_under_which_license(document: Json) -> None:
    assert document["info"]["license"] == {"name": "MIT", "identifier": "MIT"}
    assert document["info"]["contact"]["name"]


def test_every_operation_says_which_key_it_wants_and_that_scheme_is_known(document: Json) -> None:
    schemes = set(document["components"]["securitySchemes"])
    for name, operation in operations(document):
        wanted = [scheme for each in operation["security"] for scheme in each]
        assert set(wanted) <= schemes, name
        assert bool(wanted) == ("401" in operation["responses"]), name


def test_the_introduction_explains_every_scope_and_whether_a_key_is_needed(document: Json) -> None:
    text = document["info"]["description"]
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(auth.SCOPES)
    send = document["paths"]["/send-otp"]["post"]
    assert ("Keys are not required here" in text) == ({} in send["security"])
    assert "Scope of the key: `otp`." in send["description"]


def test_every_operation_says_what_a_wrong_request_gets(document: Json) -> None:
    for name, operation in operations(document):
        refused = [status for status in operation["responses"] if status.startswith("4")]
        assert refused, name


def test_nothing_is_listed_twice(document: Json) -> None:
    for part in all_in(document):
        for listed in part.values():
            if isinstance(listed, list):
                values = [json.dumps(value) for value in listed]
                assert len(values) == len(set(values)), part


def test_every_component_is_used_and_every_reference_leads_somewhere(document: Json) -> None:
    told = {
        f"#/components/{kind}/{name}"
        for kind, components in document["components"].items()
        for name in components
        if kind != "securitySchemes"
    }
    # "$ref" is never a property's name here.
    assert {part["$ref"] for part in all_in(document) if "$ref" in part} == told


def test_paths_name_their_parameters(document: Json) -> None:
    for path, item in document["paths"].items():
        for operation in item.values():
            parameters = [resolved(document, each) for each in operation.get("parameters", [])]
            told = {each["name"] for each in parameters if each["in"] == "path"}
            assert told == set(re.findall(r"{(\w+)}", path)), path


def test_every_refusal_is_a_component_and_so_is_the_whole_answer(document: Json) -> None:
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if status.startswith(("4", "5")):
                assert list(response) == ["$ref"], f"{name} {status}"


def test_one_error_is_one_schema_whatever_it_answers(document: Json) -> None:
    codes: Counter[str] = Counter()
    for part in all_in(document):
        details = part.get("properties", {}).get("error", {}).get("properties", {})
        codes.update([details["code"]["const"]] if "code" in details else [])
    assert set(codes.values()) == {1}
    assert set(codes) < {refusal.code for refusal in REFUSALS.values()}


def test_what_is_said_is_said_once(document: Json) -> None:
    """But for a line or so: a schema, a choice, an answer or an example is one component."""
    parts = (
        part for part in all_in(document) if {"properties", "enum", "content", "value"} & set(part)
    )
    texts = Counter(text for part in parts if len(text := json.dumps(part)) > 150)
    assert [text for text, times in texts.items() if times > 1] == []


def test_linters_recommend_nothing_and_would_see_what_was_wrong_once(
    make_app: MakeApp, tmp_path: Path
) -> None:
    documents = {name: document_of(make_app(**SETTINGS[name])).make() for name in SETTINGS}
    broken = deepcopy(documents["the sandbox"])
    del broken["servers"], broken["components"]["securitySchemes"]
    broken["components"]["schemas"]["Channel"]["enum"] *= 2
    for name, document in (documents | {"broken": broken}).items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document))

    rules = f"--ruleset={TOOLS / 'spectral.yaml'}"
    for told in (lint(tmp_path, "redocly"), lint(tmp_path, "spectral", rules)):
        assert set(re.findall(r"([a-z ]+)\.json", told)) == {"broken"}, told


def lint(folder: Path, program: str, *options: str) -> str:
    """What a linter finds in the documents of this folder. It asks no other site."""
    files = sorted(path.name for path in folder.glob("*.json"))
    script = str(need_tool(f".bin/{program}"))
    command = [node(), script, "lint", "--format=json", *options, *files]
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    done = subprocess.run(
        command, cwd=folder, env=os.environ | quiet, capture_output=True, text=True, check=False
    )
    return done.stdout
