"""Where the databases are: a Postgres, or a file, and where codes are issued without the first."""

from __future__ import annotations

from pathlib import Path

import pytest

from otp_service import create_app
from otp_service.environment import SettingsError
from tests.server.processes import wsgi
from tests.settings.environments import (
    SECRET,
    problems,
    refusal,
    with_database,
)


@pytest.mark.statement(21)
@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "otp.db", "http://db"])
def test_a_database_that_forgets_or_is_none_does_not_start(tmp_path: Path, url: str) -> None:
    (problem,) = problems(tmp_path, DATABASE_URL=url)
    assert problem.startswith("DATABASE_URL must")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://db/otp",
        "postgresql+asyncpg://db/otp",
        "db.example.com",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://db:port/otp",
        "postgresql://a:1,b:port/otp",
    ],
)
def test_what_is_no_database_of_ours_is_refused(tmp_path: Path, url: str) -> None:
    assert "DATABASE_URL must" in refusal(tmp_path, DATABASE_URL=url)


def test_the_command_ends_with_2_and_without_the_password() -> None:
    environ = {"DATABASE_URL": "postgresql://app:hunt@er2@127.0.0.1:1/otp", "OTP_SECRET": SECRET}
    done = wsgi(**environ)
    assert done.returncode == 2
    assert "percent-encode the password" in done.stderr
    assert "er2" not in done.stdout + done.stderr


def test_postgres_has_a_fallback_unless_it_is_off(tmp_path: Path) -> None:
    postgres = "postgresql://db/otp"
    assert with_database(tmp_path, DATABASE_URL=postgres).fallback_url == (
        f"sqlite:///{tmp_path / 'fallback.db'}"
    )
    off = with_database(tmp_path, DATABASE_URL=postgres, FALLBACK_DATABASE_URL="OFF")
    assert off.fallback_url is None
    named = with_database(
        tmp_path, DATABASE_URL=postgres, FALLBACK_DATABASE_URL="sqlite:////var/o.db"
    )
    assert named.fallback_url == "sqlite:////var/o.db"


def test_a_local_file_needs_no_fallback(tmp_path: Path) -> None:
    assert with_database(tmp_path).fallback_url is None
    named = with_database(tmp_path, FALLBACK_DATABASE_URL="sqlite:////var/o.db")
    assert named.fallback_url is None
    assert any("FALLBACK_DATABASE_URL is not used" in text for text in named.warnings)
    assert with_database(tmp_path, FALLBACK_DATABASE_URL="off").warnings == ()


@pytest.mark.parametrize("url", ["postgresql://db/otp", "sqlite://", "somewhere", "sqlite:///"])
def test_a_fallback_is_a_local_file(tmp_path: Path, url: str) -> None:
    said = refusal(tmp_path, DATABASE_URL="postgresql://db/otp", FALLBACK_DATABASE_URL=url)
    assert "FALLBACK_DATABASE_URL must be sqlite:///FILE, or off" in said


def test_a_file_that_cant_be_made_is_said_with_its_variable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name, environ in {
        "DATABASE_URL": {},
        "FALLBACK_DATABASE_URL": {"DATABASE_URL": "postgresql://db/otp"},
    }.items():
        url = f"sqlite:///{tmp_path}/file/otp.db"
        with pytest.raises(SettingsError) as caught:
            create_app({"OTP_SECRET": SECRET, name: url} | environ, instance=tmp_path)
        (problem,) = caught.value.problems
        assert problem.startswith(f"{name}: the file can't be made: ")
