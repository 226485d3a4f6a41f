"""Who is asked to send, when an SMS follows, who may deliver receipts."""

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


def test_with_nothing_set_there_are_no_senders_and_sms_is_off(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.senders == ()
    assert settings.sms.missing
    assert (settings.sms_after, settings.worker) == (30, True)
    assert (settings.gupshup.webhook_secret, settings.gupshup.webhook_networks) == ("", ())
    assert settings.gupshup.app_id == ""
    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("named", "senders"),
    [
        ("", ("gupshup", "meta")),
        ("meta, Gupshup", ("meta", "gupshup")),
        ("meta", ("meta",)),
    ],
)
def test_the_senders_have_an_order(tmp_path: Path, named: str, senders: tuple[str, ...]) -> None:
    both = {**GUPSHUP, **META, "OTP_SECRET": SECRET}
    assert load(tmp_path, **both, OTP_WHATSAPP_SENDERS=named).senders == senders


@pytest.mark.parametrize("named", ["canary", "gupshup,", "gupshup,gupshup", "meta,sms"])
def test_senders_that_do_not_exist_do_not_start(tmp_path: Path, named: str) -> None:
    both = {**GUPSHUP, **META, "OTP_SECRET": SECRET}
    (problem,) = problems(tmp_path, **both, OTP_WHATSAPP_SENDERS=named)
    assert problem.startswith("OTP_WHATSAPP_SENDERS must be one or more of gupshup, meta")


def test_a_sender_that_is_not_configured_does_not_start(tmp_path: Path) -> None:
    (problem,) = problems(
        tmp_path, **GUPSHUP, OTP_SECRET=SECRET, OTP_WHATSAPP_SENDERS="gupshup,meta"
    )
    assert problem.startswith("OTP_WHATSAPP_SENDERS names meta, which lacks META_ACCESS_TOKEN, ")
    (problem,) = problems(tmp_path, OTP_WHATSAPP_SENDERS="gupshup", OTP_SECRET=SECRET)
    assert "GUPSHUP_API_KEY" in problem


@pytest.mark.parametrize(
    ("minutes", "told", "seconds"),
    [
        ("3", "", 30),
        ("3", "45", 45),
        ("3", "179", 179),
        ("0.5", "", 15),  # the default would be too late
        ("0.01", "", 1),
    ],
)
def test_an_sms_follows_while_the_code_lives(
    tmp_path: Path, minutes: str, told: str, seconds: int
) -> None:
    real = {**GUPSHUP, **SMS, "OTP_SECRET": SECRET}
    settings = load(tmp_path, **real, OTP_EXPIRY_MINUTES=minutes, OTP_SMS_AFTER_SECONDS=told)
    assert settings.sms_after == seconds


def test_an_sms_that_would_come_too_late_does_not_start(tmp_path: Path) -> None:
    late = {**GUPSHUP, "OTP_SECRET": SECRET, "OTP_SMS_AFTER_SECONDS": "180"}
    (problem,) = problems(tmp_path, **late, **SMS)
    assert problem.startswith("OTP_SMS_AFTER_SECONDS must be less than OTP_EXPIRY_MINUTES")
    assert load(tmp_path, **late).sms_after == 90  # without SMS it does not matter


@pytest.mark.parametrize("seconds", ["0", "601", "soon"])
def test_the_wait_for_an_sms_has_bounds(tmp_path: Path, seconds: str) -> None:
    (problem,) = problems(tmp_path, OTP_SMS_AFTER_SECONDS=seconds)
    assert problem == "OTP_SMS_AFTER_SECONDS must be a whole number from 1 to 600"


def test_lost_receipts_are_warned_of(tmp_path: Path) -> None:
    def warned(**environ: str) -> list[str]:
        settings = load(tmp_path, **environ, OTP_SECRET=SECRET)
        return [warning.split()[0] for warning in settings.warnings]

    assert warned(**GUPSHUP) == ["GUPSHUP_WEBHOOK_SECRET"]
    assert warned(**GUPSHUP, GUPSHUP_WEBHOOK_SECRET=WEBHOOK_SECRET) == []
    assert warned(**META) == ["META_APP_SECRET", "META_VERIFY_TOKEN"]
    assert warned(**META, META_APP_SECRET="a", META_VERIFY_TOKEN="b") == []
    unused = {**GUPSHUP, **META, "META_APP_SECRET": "a", "META_VERIFY_TOKEN": "b"}
    assert warned(**unused, OTP_WHATSAPP_SENDERS="meta") == []
    assert warned(**unused, **SMS, OTP_WHATSAPP_SENDERS="meta") == ["GUPSHUP_WEBHOOK_SECRET"]


def test_a_webhook_secret_that_can_be_guessed_is_warned_of(tmp_path: Path) -> None:
    secret = "short-canary-15"
    (warning,) = load(tmp_path, GUPSHUP_WEBHOOK_SECRET=secret).warnings
    assert warning.startswith("GUPSHUP_WEBHOOK_SECRET is short")
    assert secret not in warning


@pytest.mark.statement(21)
def test_the_examples_placeholder_is_no_secret(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, GUPSHUP_WEBHOOK_SECRET="your_webhook_secret_here")
    assert problem.startswith("GUPSHUP_WEBHOOK_SECRET still holds")


def test_who_may_send_receipts_is_a_list_of_networks(tmp_path: Path) -> None:
    told = "192.0.2.7, 198.51.100.9/24,2001:db8::/32,"
    networks = load(tmp_path, GUPSHUP_WEBHOOK_IPS=told).gupshup.webhook_networks
    assert [str(network) for network in networks] == [
        "192.0.2.7/32",
        "198.51.100.0/24",
        "2001:db8::/32",
    ]
    (problem,) = problems(tmp_path, GUPSHUP_WEBHOOK_IPS="192.0.2.7, canary")
    assert problem.startswith("GUPSHUP_WEBHOOK_IPS must be addresses or networks")
    assert "canary" not in problem


def test_the_app_has_an_id(tmp_path: Path) -> None:
    assert load(tmp_path, GUPSHUP_APP_ID="82ed52f4").gupshup.app_id == "82ed52f4"
