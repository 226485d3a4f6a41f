"""Each provider's account: all of its variables, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from otp_service.delivery.providers.gupshup import Gupshup
from tests.settings.environments import (
    GUPSHUP,
    META,
    SECRET,
    SMS,
    load,
    problems,
)


@pytest.mark.statement(21)
@pytest.mark.parametrize("left_out", sorted(GUPSHUP))
def test_half_a_gupshup_configuration_does_not_start(tmp_path: Path, left_out: str) -> None:
    half = {name: value for name, value in GUPSHUP.items() if name != left_out}
    (problem,) = problems(tmp_path, **half, OTP_SECRET=SECRET)
    assert problem.startswith(f"{left_out} is missing")


@pytest.mark.statement(21)
def test_the_examples_placeholders_do_not_start(tmp_path: Path) -> None:
    filled = dict.fromkeys(GUPSHUP, "your_api_key_here")
    assert len(problems(tmp_path, **filled, OTP_SECRET=SECRET)) == 4


@pytest.mark.statement(21)
@pytest.mark.parametrize("left_out", sorted(META | SMS))
def test_half_an_account_does_not_start(tmp_path: Path, left_out: str) -> None:
    half = {name: value for name, value in (META | SMS).items() if name != left_out}
    (problem,) = problems(tmp_path, **GUPSHUP, **half, OTP_SECRET=SECRET)
    assert problem.startswith(f"{left_out} is missing: set it, or unset ")
    account = META if left_out in META else SMS
    assert all(name in problem for name in account if name != left_out)


@pytest.mark.parametrize(
    ("alone", "missing"),
    [
        ({"GUPSHUP_TEMPLATES": "en=tpl"}, 4),
        ({"GUPSHUP_API_URL": "https://simulator"}, 4),
        ({"META_APP_SECRET": "canary"}, 3),
        ({"META_TEMPLATE_LANGUAGES": "en"}, 3),
        ({"META_API_URL": "https://simulator"}, 3),
        ({"GUPSHUP_SMS_MASK": "CANARY"}, 2),
        ({"GUPSHUP_SMS_DLT_TEMPLATE_ID": "1107"}, 2),
        ({"GUPSHUP_SMS_TEXT": "{code}"}, 2),
    ],
)
def test_what_is_of_use_to_an_account_only_does_not_start_without_it(
    tmp_path: Path, alone: dict[str, str], missing: int
) -> None:
    assert len(problems(tmp_path, **alone, OTP_SECRET=SECRET)) == missing


@pytest.mark.parametrize(
    "text",
    ["your-template-id", "YOUR_API_KEY", "<api key>", "Your app name", "change-me", "CHANGEME"],
)
def test_a_placeholder_is_known_however_it_is_written(tmp_path: Path, text: str) -> None:
    (problem,) = problems(tmp_path, **GUPSHUP | {"GUPSHUP_SRC_NAME": text}, OTP_SECRET=SECRET)
    assert problem == "GUPSHUP_SRC_NAME still holds the example's placeholder"


def test_of_a_placeholder_no_more_is_told_than_that_it_is_one(tmp_path: Path) -> None:
    filled = {"GUPSHUP_SOURCE": "<number>", "META_PHONE_NUMBER_ID": "YOUR_ID"}
    found = problems(tmp_path, **META | GUPSHUP | filled, OTP_SECRET=SECRET)
    assert found == [f"{name} still holds the example's placeholder" for name in filled]


def test_a_name_that_begins_like_a_placeholder_is_none(tmp_path: Path) -> None:
    for name in ("YourApp", "Your-Brand", "yours"):
        load(tmp_path, **GUPSHUP | {"GUPSHUP_SRC_NAME": name}, OTP_SECRET=SECRET)


@pytest.mark.statement(21)
def test_placeholders_of_the_other_accounts_do_not_start(tmp_path: Path) -> None:
    filled = dict.fromkeys(META | SMS, "your_value_here")
    found = problems(tmp_path, **GUPSHUP, **filled, OTP_SECRET=SECRET)
    assert len(found) == 5
    assert all("placeholder" in problem for problem in found)


@pytest.mark.statement(21)
def test_sms_without_whatsapp_does_not_start(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, **SMS, OTP_SECRET=SECRET)
    assert problem.startswith("GUPSHUP_SMS_USERID is set, but no WhatsApp sender is")


@pytest.mark.parametrize(
    "text",
    ["en=tpl-1, pt-BR = tpl-2,", "en:tpl-1,pt-BR:tpl-2", '{"en": "tpl-1", "pt-BR": "tpl-2"}'],
)
def test_each_language_may_have_a_template(tmp_path: Path, text: str) -> None:
    settings = load(tmp_path, **GUPSHUP, OTP_SECRET=SECRET, GUPSHUP_TEMPLATES=text)
    assert settings.gupshup.templates == {"en": "tpl-1", "pt-BR": "tpl-2"}
    assert Gupshup(settings.gupshup).template_for("pt") == "tpl-2"


@pytest.mark.parametrize(
    "text", ["en", "en=", "=id", "e=id", "en=a b", "en us=id", "{", '{"en": 1 }x', "{}x"]
)
def test_templates_that_name_no_language_do_not_start(tmp_path: Path, text: str) -> None:
    (problem,) = problems(tmp_path, **GUPSHUP, OTP_SECRET=SECRET, GUPSHUP_TEMPLATES=text)
    assert problem == "GUPSHUP_TEMPLATES must be LANGUAGE=TEMPLATE_ID, with commas"


def test_languages_are_read_whichever_way_they_are_written(tmp_path: Path) -> None:
    named = "en-us, pt_BR,pt-pt,PRS_AF,prs_AF,iw-IL,fil"
    settings = load(tmp_path, **META, OTP_SECRET=SECRET, META_TEMPLATE_LANGUAGES=named)
    metas = ("en_US", "pt_BR", "pt_PT", "fa_AF", "prs_AF", "he_IL", "fil")  # Meta knows prs_AF
    assert settings.meta.languages == metas
    templates = "en_US.UTF-8=t-en,zh-Hant-HK=t-zh,iw=t-he"
    gupshup = load(tmp_path, **GUPSHUP, OTP_SECRET=SECRET, GUPSHUP_TEMPLATES=templates).gupshup
    assert [Gupshup(gupshup).template_for(each) for each in ("en", "zh_TW", "he-IL", None)] == [
        "t-en",
        "t-zh",
        "t-he",
        GUPSHUP["GUPSHUP_TEMPLATE_ID"],
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("META_PHONE_NUMBER_ID", "+1 canary"),
        ("META_TEMPLATE_LANGUAGES", "en,,pt"),
        ("META_API_URL", "graph.facebook.com"),
        ("GUPSHUP_SMS_API_URL", "canary"),
        ("GUPSHUP_SMS_TEXT", "Your code is canary"),
        ("GUPSHUP_SMS_TEXT", "{code} {canary}"),
        ("GUPSHUP_SMS_TEXT", "{code} {"),
    ],
)
def test_each_problem_names_its_variable_and_no_value(
    tmp_path: Path, name: str, value: str
) -> None:
    every = {**GUPSHUP, **META, **SMS, "OTP_SECRET": SECRET}
    (problem,) = problems(tmp_path, **(every | {name: value}))
    assert problem.startswith(name)
    assert "canary" not in problem


def test_the_text_may_have_minutes_and_the_code_twice(tmp_path: Path) -> None:
    text = "{code} ends in {minutes} minutes. @example.com #{code}"
    settings = load(tmp_path, **GUPSHUP, **SMS, OTP_SECRET=SECRET, GUPSHUP_SMS_TEXT=text)
    assert settings.sms.text == text
