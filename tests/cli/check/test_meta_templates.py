"""Meta's number, account and template, as `otp check` looks at them."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from otp_service.simulator.providers import meta_callbacks, templates
from tests.cli.check.helpers import Check, line
from tests.conftest import Serve
from tests.delivery.account import META


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("answer", "mark", "words"),
    [
        (({"id": META["META_PHONE_NUMBER_ID"]}, 200), "ok", "the token is accepted"),
        (({"error": {"code": 190, "message": "Invalid token"}}, 401), "problem", "system user"),
        (({"error": {"code": 100, "message": "Unsupported get"}}, 400), "problem", "API Setup"),
        (({"error": {"code": 2, "message": "Down"}}, 503), "warning", "can't tell now"),
        (({}, 404), "warning", "META_API_URL"),
    ],
)
def test_meta_is_asked_for_the_number(
    check: Check, serve: Serve, answer: tuple[dict[str, Any], int], mark: str, words: str
) -> None:
    graph = Flask("graph")
    graph.get("/v23.0/<number>")(lambda number: answer)
    done = check(**META, META_API_URL=f"{serve(graph).url}/v23.0")
    assert line(done, "Meta").startswith(mark)
    assert words in line(done, "Meta")


def test_metas_template_is_looked_at_in_each_language_without_the_accounts_id(
    check: Check, meta: dict[str, str]
) -> None:
    done = check(**meta)
    assert done.exit_code == 0, done.output
    assert line(done, "Meta account").startswith("ok ")
    template = [text for text in done.output.splitlines() if "Meta template (en_US)" in text]
    assert [text.split()[0] for text in template] == ["ok"] * 3
    assert "otp_copy_code is approved (authentication, en_US)" in done.output
    assert "in its text and in its copy-code button" in done.output
    assert "tries to deliver for 180 s" in template[-1]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("settings", "told", "words"),
    [
        ({"META_TEMPLATE": "otp_paused"}, "problem Meta template (en_US)", "otp_paused is paused"),
        ({"META_TEMPLATE": "otp_plain"}, "problem Meta template (en_US)", "no copy-code button"),
        ({"META_TEMPLATE": "otp"}, "problem Meta template", "There are: otp_copy_code, otp_plain"),
        (
            {"META_TEMPLATE_LANGUAGES": "en_US,pt_BR"},
            *("problem Meta template (pt_BR)", "there is en_US"),
        ),
        ({"META_TEMPLATE_LANGUAGES": "en"}, "problem Meta template (en)", "(132001)"),
        ({"OTP_EXPIRY_MINUTES": "2"}, "warning Meta template (en_US)", "_ttl_seconds) to 120"),
    ],
)
def test_what_of_metas_template_does_not_fit_is_told(
    check: Check, meta: dict[str, str], settings: dict[str, str], told: str, words: str
) -> None:
    done = check(**meta | settings)
    mark, _, subject = told.partition(" ")
    assert f"{mark:<8} {subject}: " in done.output
    assert words in done.output
    assert done.exit_code == (mark == "problem")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"category": "UTILITY"}, "its category is utility"),
        ({"status": "REJECTED", "rejected_reason": "INVALID_FORMAT"}, "rejected"),
        ({"components": [{"type": "BODY", "text": "{{1}}, {{2}}"}]}, "takes 2 values"),
        ({"status": "PENDING"}, "wait"),
    ],
)
def test_what_metas_template_is_decides(
    check: Check,
    meta: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
    words: str,
) -> None:
    class Changed(templates.Template):
        def describe_for_meta(self) -> dict[str, Any]:
            return super().describe_for_meta() | change

    monkeypatch.setattr(templates, "TEMPLATES", (Changed(**vars(templates.COPY_CODE)),))
    done = check(**meta)
    assert "problem  Meta template (en_US): " in done.output
    assert words in done.output


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_keeps_metas_account_from_sending_is_told_with_its_own_advice(
    check: Check, meta: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = {"error_code": 141006, "error_description": "There is an error with the payment."}
    trouble |= {"possible_solution": "Add a payment method."}
    entities = [
        {"entity_type": "PHONE_NUMBER", "id": "1", "can_send_message": "LIMITED"}
        | {"additional_info": ["Your display name has not been approved yet."]},
        {"entity_type": "WABA", "id": meta_callbacks.ACCOUNT_ID, "can_send_message": "BLOCKED"}
        | {"errors": [trouble]},
    ]
    monkeypatch.setattr(meta_callbacks, "health", lambda number: {"entities": entities})
    done = check(**meta)
    assert done.exit_code == 1
    number = "warning  Meta account: the phone number is limited: Your display name has not been"
    assert number in done.output
    assert "problem  Meta account: the waba is blocked: There is an error with the" in done.output
    assert "Add a payment method." in done.output


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_account_that_meta_does_not_name_is_a_warning(
    check: Check, meta: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meta_callbacks, "health", lambda number: {})
    done = check(**meta)
    assert done.exit_code == 0
    assert "whatsapp_business_management" in line(done, "Meta template")
