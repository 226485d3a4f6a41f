"""Starts that would be unsafe don't start, say why and what to do, and show no value.

`tests/settings` has more of them, one by one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from otp_service import create_app
from otp_service.environment import SettingsError
from otp_service.settings import Settings
from tests.server.processes import wsgi

GUPSHUP = {
    "GUPSHUP_API_KEY": "sk_canary_key_1234",
    "GUPSHUP_SOURCE": "917834811114",
    "GUPSHUP_TEMPLATE_ID": "canary-template",
    "GUPSHUP_SRC_NAME": "CanaryApp",
}
SECRET = {"OTP_SECRET": "cacaca" + bytes(range(29)).hex()}
REAL = GUPSHUP | SECRET
VALUES = ("canary", "917834811114", "cacaca", "hunter2", "your_")


def refusals(tmp_path: Path, **environ: str) -> list[str]:
    """Why `create_app` refuses: at least one line, and none of them tells a value."""
    with pytest.raises(SettingsError) as caught:
        create_app(environ, instance=tmp_path / "instance")
    assert caught.value.exit_code == 2
    said = caught.value.format_message().lower()
    assert [value for value in VALUES if value in said] == []
    return caught.value.problems


@pytest.mark.statement(21)
@pytest.mark.parametrize(
    "secret", ["ca" * 31, "canary" * 20, f"{bytes(range(32)).hex()},ca", ",", "your_secret_here"]
)
def test_a_secret_that_is_short_or_no_secret(tmp_path: Path, secret: str) -> None:
    for sender in ({}, GUPSHUP):
        [problem] = refusals(tmp_path, **sender, OTP_SECRET=secret)
        assert problem.startswith("OTP_SECRET must be 64 or more hex digits")
        assert "make one with: python3 -c" in problem


@pytest.mark.statement(21)
@pytest.mark.parametrize("password", ["PASSWORD", "[YOUR-PASSWORD]", "your_password"])
def test_a_database_of_an_example(tmp_path: Path, password: str) -> None:
    url = f"postgresql://otp:{password}@db.canary.supabase.co:5432/postgres?sslmode=require"
    assert refusals(tmp_path, DATABASE_URL=url) == [
        "DATABASE_URL still holds the example's placeholder"
    ]


@pytest.mark.statement(10, 21)
@pytest.mark.parametrize(
    "proxies", ["0.0.0.0/0", "::/0", "10.0.0.0/8, 0.0.0.0/0", "canary", "*", "10.0.0.0/33"]
)
def test_proxies_that_could_be_anybody(tmp_path: Path, proxies: str) -> None:
    [problem] = refusals(tmp_path, TRUSTED_PROXIES=proxies)
    assert problem.startswith("TRUSTED_PROXIES ")


@pytest.mark.statement(2, 21)
def test_the_server_tells_all_of_it_at_once_and_does_not_start() -> None:
    environ = {
        **GUPSHUP,
        "META_ACCESS_TOKEN": "EAAcanary0123456789",
        "GUPSHUP_SMS_PASSWORD": "canary-password",
        "GUPSHUP_WEBHOOK_SECRET": "your_canary_secret",
        "OTP_EXPIRY_MINUTES": "60",
        "OTP_EXPOSE_CODE": "on",
        "TRUSTED_PROXIES": "0.0.0.0/0",
        "DATABASE_URL": "postgresql://otp:PASSWORD@canary/otp",
    }
    done = wsgi(**environ)
    assert done.returncode == 2
    expected = [
        "META_PHONE_NUMBER_ID is missing",
        "META_TEMPLATE is missing",
        "GUPSHUP_SMS_USERID is missing",
        "GUPSHUP_WEBHOOK_SECRET still holds the example's placeholder",
        "OTP_SECRET is required with a real sender",
        "OTP_EXPIRY_MINUTES must be a number",
        "OTP_EXPOSE_CODE is on with a real sender",
        "TRUSTED_PROXIES trusts every address",
        "DATABASE_URL still holds the example's placeholder",
    ]
    assert [line for line in expected if f"  - {line}" not in done.stderr] == []
    assert f"the configuration has {len(expected)} problems:" in done.stderr
    assert done.stdout == ""
    assert [value for value in VALUES if value in done.stderr.lower()] == []


# --- what starts, but is warned of ---


def warnings(tmp_path: Path, **environ: str) -> list[str]:
    return list(Settings.from_env(environ, tmp_path / "instance").warnings)


@pytest.mark.statement(21)
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "otp.example.com"])
def test_a_sandbox_that_others_can_reach_is_warned_of(tmp_path: Path, host: str) -> None:
    [warning] = warnings(tmp_path, HOST=host)
    assert "anyone who can connect can read every code at /sandbox" in warning
    with_a_sender = warnings(tmp_path, HOST=host, GUPSHUP_WEBHOOK_SECRET="c" * 16, **REAL)
    assert with_a_sender == []


@pytest.mark.statement(21)
@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", ""])
def test_a_sandbox_of_this_machine_is_not(tmp_path: Path, host: str) -> None:
    assert warnings(tmp_path, HOST=host) == []


@pytest.mark.parametrize(
    "place",
    ["db.example.com/otp", "a:1,b:2/otp", "localhost,b/otp", "/otp?host=db.example.com"],
)
def test_a_way_to_postgres_that_may_be_in_clear_text_is_warned_of(
    tmp_path: Path, place: str
) -> None:
    url = f"postgresql://otp:hunter2@{place}"
    [warning] = warnings(tmp_path, DATABASE_URL=url)
    assert warning.startswith("DATABASE_URL has no sslmode")
    assert "hunter2" not in warning
    chosen = url + ("&" if "?" in url else "?") + "sslmode=disable"
    assert warnings(tmp_path, DATABASE_URL=chosen) == []
    assert warnings(tmp_path, DATABASE_URL=url, PGSSLMODE="require") == []


@pytest.mark.parametrize(
    "place",
    ["localhost/otp", "127.0.0.1:5432/otp", "[::1]/otp", "/otp", "/otp?host=/run/postgresql"],
)
def test_a_postgres_of_this_machine_is_not(tmp_path: Path, place: str) -> None:
    assert warnings(tmp_path, DATABASE_URL=f"postgresql://otp:hunter2@{place}") == []
