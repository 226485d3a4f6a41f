"""Settings: all problems at once, no secret told, unsafe starts refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.settings.environments import (
    GUPSHUP,
    META,
    SECRET,
    SMS,
    WEBHOOK_SECRET,
    load,
    problems,
)


def test_with_nothing_set_it_is_a_sandbox_with_the_documented_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.sandbox
    assert settings.database_url == f"sqlite:///{tmp_path / 'instance' / 'otp.db'}"
    assert (settings.expiry, settings.code_length, settings.max_attempts) == (180, 6, 5)
    assert (settings.grace_codes, settings.expose_code) == (0, True)
    assert settings.test_numbers == {"+1234567890": "123456"}
    assert not settings.api_keys_required
    assert (settings.port, settings.processes) == (8000, 1)


def test_with_a_gupshup_key_every_default_turns_strict(tmp_path: Path) -> None:
    settings = load(tmp_path, **GUPSHUP, OTP_SECRET=SECRET)
    assert not settings.sandbox
    assert not settings.expose_code
    assert settings.api_keys_required
    assert settings.test_numbers == {}
    assert settings.gupshup.api_url == "https://api.gupshup.io/wa/api/v1/template/msg"


@pytest.mark.statement(21)
def test_with_metas_account_every_default_turns_strict_too(tmp_path: Path) -> None:
    settings = load(tmp_path, **META, OTP_SECRET=SECRET)
    assert not settings.sandbox
    assert not settings.expose_code
    assert settings.api_keys_required
    assert settings.senders == ("meta",)
    assert settings.meta.languages == ("en_US",)
    assert settings.meta.api_url == "https://graph.facebook.com/v23.0"
    (problem,) = problems(tmp_path, **META)
    assert problem.startswith("OTP_SECRET is required")


@pytest.mark.statement(21)
def test_all_problems_are_reported_together_each_naming_its_variable(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        DATABASE_URL="mysql://root:hunter2@db/otp",
        GUPSHUP_API_KEY="sk_canary_key_1234",
        OTP_EXPIRY_MINUTES="11",
        OTP_LENGTH="3",
        OTP_MAX_ATTEMPTS="many",
        OTP_SECRET="too short canary",
        OTP_TEST_NUMBERS="12345",
        API_KEYS="perhaps",
        PORT="99999",
    )
    named = (
        "DATABASE_URL GUPSHUP_SOURCE GUPSHUP_TEMPLATE_ID GUPSHUP_SRC_NAME OTP_EXPIRY_MINUTES "
        "OTP_LENGTH OTP_MAX_ATTEMPTS OTP_SECRET OTP_TEST_NUMBERS API_KEYS PORT"
    )
    for name in named.split():
        assert sum(problem.startswith(name) for problem in found) == 1, name
    for secret in ("canary", "hunter2", "perhaps", "12345"):
        assert secret not in " ".join(found)


@pytest.mark.statement(21)
@pytest.mark.parametrize(
    "half",
    [
        {"GUPSHUP_API_KEY": "k"},
        {"GUPSHUP_TEMPLATE_ID": "t", "GUPSHUP_SRC_NAME": "n"},
        {"META_TEMPLATE": "t"},
        {"GUPSHUP_SMS_PASSWORD": "p"},
        {"OTP_WHATSAPP_SENDERS": "meta"},
        {"OTP_WHATSAPP_SENDERS": "canary, meta"},
    ],
)
def test_half_an_account_hides_nothing_else_that_a_sender_needs(
    tmp_path: Path, half: dict[str, str]
) -> None:
    found = problems(tmp_path, **half, OTP_EXPOSE_CODE="on", OTP_LENGTH="3")
    named = {problem.split()[0] for problem in found}
    assert {"OTP_SECRET", "OTP_EXPOSE_CODE", "OTP_LENGTH"} < named
    assert any("META_ACCESS_TOKEN" in problem or "GUPSHUP_" in problem for problem in found)
    assert not (tmp_path / "instance").exists()  # and no sandbox's secret is made


def test_short_codes_open_doors_and_clear_text_are_warned_of(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        **GUPSHUP,
        OTP_SECRET=SECRET,
        OTP_LENGTH="4",
        API_KEYS="off",
        GUPSHUP_API_URL="http://simulator:9000/msg",
        OTP_TEST_NUMBERS="+1234567890",
        SUPABASE_URL="https://project.supabase.co",
    )
    names = ("OTP_LENGTH", "API_KEYS", "GUPSHUP_API_URL", "OTP_TEST_NUMBERS", "SUPABASE_URL")
    for name in names:
        assert any(warning.startswith(name) for warning in settings.warnings), name


def test_no_settings_repr_tells_a_secret(tmp_path: Path) -> None:
    shown = repr(
        load(
            tmp_path,
            **GUPSHUP,
            OTP_SECRET=SECRET,
            DATABASE_URL="postgresql://otp:hunter2@db/otp",
            OTP_TEST_NUMBERS="+1234567890=424242",
        )
    )
    for secret in ("canary", "hunter2", "424242", SECRET):
        assert secret not in shown


def test_no_settings_repr_tells_a_provider_s_secret(tmp_path: Path) -> None:
    more = {"META_APP_SECRET": "canary-app", "META_VERIFY_TOKEN": "canary-verify"}
    every = {**GUPSHUP, **META, **SMS, **more, "OTP_SECRET": SECRET}
    shown = repr(load(tmp_path, **every, GUPSHUP_WEBHOOK_SECRET=WEBHOOK_SECRET))
    assert "canary" not in shown
