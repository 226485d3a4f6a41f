"""Which other systems may hand over codes, and with which secrets."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.settings.environments import GUPSHUP, SECRET, SMS, load, problems

KEYS = [bytes(range(at, at + 32)) for at in (0, 50, 100)]
SUPABASE = ["v1,whsec_" + base64.b64encode(key).decode() for key in KEYS]
REAL = GUPSHUP | {"OTP_SECRET": SECRET}
NAMES = ["HOOK_LOGTO_TOKEN", "HOOK_AUTHGEAR_SECRET", "HOOK_ZITADEL_SECRET"]


def test_without_secrets_no_hook_is_on(tmp_path: Path) -> None:
    assert load(tmp_path).hooks.secrets == {}


def test_each_is_on_with_its_own_and_supabases_are_decoded(tmp_path: Path) -> None:
    environ = dict(zip(NAMES, ("logto-token", "authgear-key", "zitadel-key"), strict=True))
    hooks = load(tmp_path, HOOK_SUPABASE_SECRET=SUPABASE[0], **environ).hooks
    assert hooks.secrets == {
        "supabase": (KEYS[0],),
        "logto": (b"logto-token",),
        "authgear": (b"authgear-key",),
        "zitadel": (b"zitadel-key",),
    }


def test_supabases_list_can_be_copied_as_it_is(tmp_path: Path) -> None:
    hooks = load(tmp_path, HOOK_SUPABASE_SECRET="|".join([*SUPABASE, ""])).hooks
    assert hooks.secrets == {"supabase": tuple(KEYS)}


@pytest.mark.parametrize("name", NAMES)
def test_others_have_two_at_once_and_no_more(tmp_path: Path, name: str) -> None:
    hooks = load(tmp_path, **{name: "canary-one-1|canary-two-2"}).hooks
    assert list(hooks.secrets.values()) == [(b"canary-one-1", b"canary-two-2")]
    for wrong in ("canary-one|", "canary-one|canary-two|canary-three"):
        (problem,) = problems(tmp_path, **{name: wrong})
        assert problem.startswith(f"{name} has ")
        assert "canary" not in problem


@pytest.mark.parametrize(
    "wrong",
    [
        "canary",
        SUPABASE[0].removeprefix("v1,"),
        "v1,whsec_",
        "v1,whsec_" + base64.b64encode(b"canary-is-too-short").decode(),
        "v1,whsec_" + base64.b64encode(b"canary" * 20).decode(),
        SUPABASE[0][:-1],
        SUPABASE[0] + "!",
        f"{SUPABASE[0]}|canary",
        "v1a,whpk_canary:whsk_canary",
    ],
)
def test_what_is_no_secret_of_supabases_does_not_start_and_is_not_told(
    tmp_path: Path, wrong: str
) -> None:
    (problem,) = problems(tmp_path, HOOK_SUPABASE_SECRET=wrong)
    assert problem.startswith("HOOK_SUPABASE_SECRET must be v1,whsec_ and base64")
    assert "canary" not in problem
    assert SUPABASE[0][9:] not in problem


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", ["your_secret_here", "cänary-of-the-tests", "canary\x07-of-it"])
def test_what_no_header_can_hold_and_the_examples_words_do_not_start(
    tmp_path: Path, name: str, wrong: str
) -> None:
    (problem,) = problems(tmp_path, **{name: wrong})
    assert problem.startswith(f"{name} ")
    assert wrong not in problem


def test_what_can_be_guessed_does_not_start_with_a_real_sender(tmp_path: Path) -> None:
    easy = {"HOOK_LOGTO_TOKEN": "abababababababababab"}
    (problem,) = problems(tmp_path, **REAL, **easy)
    assert problem.startswith("HOOK_LOGTO_TOKEN has fewer than 8 different bytes")
    assert any("HOOK_LOGTO_TOKEN has fewer" in each for each in load(tmp_path, **easy).warnings)


def test_a_short_one_is_warned_of(tmp_path: Path) -> None:
    warnings = load(tmp_path, HOOK_ZITADEL_SECRET="abcdefghij").warnings
    assert any(each.startswith("HOOK_ZITADEL_SECRET is short") for each in warnings)


def test_the_channel_is_the_best_that_there_is(tmp_path: Path) -> None:
    assert load(tmp_path, **REAL).hooks.channel == "whatsapp"
    assert load(tmp_path, **REAL, **SMS).hooks.channel == "auto"
    assert load(tmp_path, **REAL, **SMS, HOOK_CHANNEL="SMS").hooks.channel == "sms"


def test_no_sms_without_a_sender_of_them(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, **REAL, HOOK_CHANNEL="sms")
    assert problem == "HOOK_CHANNEL is sms, but no SMS sender is configured"


@pytest.mark.statement(13)
def test_every_one_of_several_is_redacted(tmp_path: Path) -> None:
    settings = load(tmp_path, HOOK_SUPABASE_SECRET="|".join(SUPABASE))
    assert settings.redacted >= set(SUPABASE)
    assert not [secret for secret in SUPABASE if secret in repr(settings)]
