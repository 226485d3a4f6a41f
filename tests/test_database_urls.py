"""Where the databases are: every form of the two settings, and what can't be meant."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from otp_service import create_app
from otp_service.environ import SettingsError
from otp_service.settings import Settings
from tests.conftest import SECRET


def settings(instance: Path, **environ: str) -> Settings:
    return Settings.from_env({"OTP_SECRET": SECRET} | environ, instance)


def problems(instance: Path, **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        settings(instance, **environ)
    return "\n".join(caught.value.problems)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_scheme_of_postgres_means_psycopg2(tmp_path: Path, scheme: str) -> None:
    url = settings(tmp_path, DATABASE_URL=f"{scheme}://u:p@db:6543/otp?sslmode=verify-full")
    parsed = sa.make_url(url.database_url)
    assert parsed.drivername == "postgresql+psycopg2"
    assert (parsed.host, parsed.port, parsed.query["sslmode"]) == ("db", 6543, "verify-full")


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        ("a:5432,b:5433", ("a,b", "5432,5433")),
        ("a,b", ("a,b", ",")),
        ("[::1]:5432,b:1", ("::1,b", "5432,1")),
    ],
)
@pytest.mark.parametrize("options", ["", "?target_session_attrs=read-write&sslmode=require"])
def test_several_hosts_are_written_as_libpq_writes_them(
    tmp_path: Path, hosts: str, expected: tuple[str, str], options: str
) -> None:
    url = settings(tmp_path, DATABASE_URL=f"postgres://us%40er:p%2Cw@{hosts}/otp{options}")
    parsed = sa.make_url(url.database_url)
    assert (parsed.username, parsed.password, parsed.database) == ("us@er", "p,w", "otp")
    engine = sa.create_engine(parsed)
    _, arguments = engine.dialect.create_connect_args(parsed)
    assert (arguments["host"], str(arguments.get("port", ","))) == expected
    assert arguments.get("sslmode") == ("require" if options else None)


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
    assert "DATABASE_URL must" in problems(tmp_path, DATABASE_URL=url)


def test_an_option_that_postgres_lacks_is_named(tmp_path: Path) -> None:
    url = "postgresql://u:hunter2@db/otp?pgbouncer=true&sslmode=require"
    said = problems(tmp_path, DATABASE_URL=url)
    assert said == "DATABASE_URL has an option that Postgres lacks: pgbouncer"


@pytest.mark.parametrize("attrs", ["standby", "read-only", "prefer-standby", "nonsense"])
def test_a_host_that_only_reads_is_not_what_is_wanted(tmp_path: Path, attrs: str) -> None:
    url = f"postgresql://db/otp?target_session_attrs={attrs}"
    assert "target_session_attrs must be read-write" in problems(tmp_path, DATABASE_URL=url)


def test_postgres_has_a_fallback_unless_it_is_off(tmp_path: Path) -> None:
    postgres = "postgresql://db/otp"
    assert settings(tmp_path, DATABASE_URL=postgres).fallback_url == (
        f"sqlite:///{tmp_path / 'fallback.db'}"
    )
    off = settings(tmp_path, DATABASE_URL=postgres, FALLBACK_DATABASE_URL="OFF")
    assert off.fallback_url is None
    named = settings(tmp_path, DATABASE_URL=postgres, FALLBACK_DATABASE_URL="sqlite:////var/o.db")
    assert named.fallback_url == "sqlite:////var/o.db"


def test_a_local_file_needs_no_fallback(tmp_path: Path) -> None:
    assert settings(tmp_path).fallback_url is None
    named = settings(tmp_path, FALLBACK_DATABASE_URL="sqlite:////var/o.db")
    assert named.fallback_url is None
    assert any("FALLBACK_DATABASE_URL is not used" in text for text in named.warnings)
    assert settings(tmp_path, FALLBACK_DATABASE_URL="off").warnings == ()


@pytest.mark.parametrize("url", ["postgresql://db/otp", "sqlite://", "somewhere", "sqlite:///"])
def test_a_fallback_is_a_local_file(tmp_path: Path, url: str) -> None:
    said = problems(tmp_path, DATABASE_URL="postgresql://db/otp", FALLBACK_DATABASE_URL=url)
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
