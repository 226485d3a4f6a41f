"""What was meant otherwise: misspelt names, values that only dotenv would read so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from otp_service.environment import SettingsError
from otp_service.settings import Settings
from tests.settings.environments import (
    GUPSHUP,
    SECRET,
    SMS,
    WEBHOOK_SECRET,
    load,
    problems,
)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("OTP_LENGHT", "OTP_LENGTH"),
        ("OTP_EXPIRY", "OTP_EXPIRY_MINUTES"),
        ("otp_length", "OTP_LENGTH"),
        ("export OTP_LENGTH", "OTP_LENGTH"),
        ("OTP_DATABASE_URL", "DATABASE_URL"),
        ("OTP_PORT", "PORT"),
        ("GUPSHUP_APIKEY", "GUPSHUP_API_KEY"),
        ("META_ACCES_TOKEN", "META_ACCESS_TOKEN"),
        ("META_PHONE_ID", "META_PHONE_NUMBER_ID"),
        ("HOOK_SUPABSE_SECRET", "HOOK_SUPABASE_SECRET"),
        ("HOOK_AND_LINE", "HOOK_CHANNEL"),
        ("EVENTS_QQQQQQ", ""),
    ],
)
def test_a_setting_that_is_not_known_is_warned_of_with_the_nearest(
    tmp_path: Path, name: str, nearest: str
) -> None:
    environ = {name: "canary", "UNRELATED": "canary", "PATH": "/canary"}
    (warning,) = Settings.from_env(environ, tmp_path).warnings
    assert warning.startswith(f"{name} is not a setting and does nothing: ")
    expected = f"did you mean {nearest}?" if nearest else "env.example has those that there are"
    assert warning.endswith(expected)
    assert "canary" not in warning


def test_a_name_that_is_spelt_wrong_is_told_beside_the_problem_that_it_makes(
    tmp_path: Path,
) -> None:
    account = {"GUPSHUP_APIKEY" if n == "GUPSHUP_API_KEY" else n: v for n, v in GUPSHUP.items()}
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, **account, OTP_SECRET=SECRET, GUPSHUP_WEBHOOK_SECRET=WEBHOOK_SECRET)
    told = caught.value.format_message()
    assert told.startswith("the configuration has 1 problem:\n  - GUPSHUP_API_KEY is missing")
    assert "\nand 1 warning:\n  - GUPSHUP_APIKEY is not a setting" in told
    assert "canary" not in told


def test_every_setting_of_the_example_is_known(tmp_path: Path) -> None:
    example = (Path(__file__).parents[2] / "env.example").read_text()
    names = re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", example, flags=re.MULTILINE)
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, **dict.fromkeys(names, "?"))
    assert "OTP_LENGTH must be" in caught.value.format_message()
    assert "is not a setting" not in caught.value.format_message()


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ('"{code} it is"', "still has quotes around it"),
        ("'{code} it is'", "still has quotes around it"),
        ("{code}\\nis it", "has \\n in it as two characters"),
        ("{code} it is # as registered", "has a # after a blank"),
        ("{code} it is #as registered", "has a # after a blank"),
        ("{code} of ${SHOP}", "has ${…} in it"),
    ],
)
def test_what_only_dotenv_would_take_out_of_a_line_is_warned_of(
    tmp_path: Path, value: str, what: str
) -> None:
    quiet = {**GUPSHUP, **SMS, "OTP_SECRET": SECRET, "GUPSHUP_WEBHOOK_SECRET": WEBHOOK_SECRET}
    text = {"GUPSHUP_SMS_TEXT": value}
    account = {**quiet, **text} if "$" not in value else {**quiet, "GUPSHUP_SMS_PASSWORD": value}
    (warning,) = load(tmp_path, **account).warnings
    assert warning.split(" ", 1)[1].startswith(what)
    assert warning.startswith("GUPSHUP_SMS_")
    assert "it is" not in warning


@pytest.mark.parametrize(
    "text",
    [
        "{code} it is. @example.com #{code}",
        "{code}: it's yours",
        'say "{code}"',
        "{code}#",
        "a new\nline and {code}",
    ],
)
def test_what_both_readers_leave_is_not(tmp_path: Path, text: str) -> None:
    quiet = {**GUPSHUP, **SMS, "OTP_SECRET": SECRET, "GUPSHUP_WEBHOOK_SECRET": WEBHOOK_SECRET}
    assert load(tmp_path, **quiet, GUPSHUP_SMS_TEXT=text).warnings == ()


def test_a_number_with_a_comment_is_a_problem_that_says_where_it_comes_from(
    tmp_path: Path,
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, OTP_LENGTH="6 # digits")
    assert "OTP_LENGTH must be a whole number" in caught.value.format_message()
    assert "OTP_LENGTH has a # after a blank" in caught.value.format_message()


def test_a_value_that_is_no_text_does_not_start(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, OTP_PROOF_ISSUER="caf\udce9")
    assert problem == "OTP_PROOF_ISSUER is not UTF-8"
