"""The options of a Postgres's URL: what can never work is found at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.gates import Authority
from tests.settings.environments import (
    refusal,
    with_database,
)

ROOT = Path(__file__).parents[2]


def test_an_option_that_postgres_lacks_is_named(tmp_path: Path) -> None:
    url = "postgresql://u:hunter2@db/otp?pgbouncer=true&sslmode=require"
    said = refusal(tmp_path, DATABASE_URL=url)
    assert said == "DATABASE_URL has an option that Postgres lacks: pgbouncer"


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("sslmode=no-verify", "disable, allow, prefer, require, verify-ca, verify-full"),
        ("sslmode=REQUIRE", "disable, allow, prefer, require, verify-ca, verify-full"),
        ("channel_binding=on", "disable, prefer, require"),
        ("gssencmode=off", "disable, prefer, require"),
        ("sslnegotiation=tls", "postgres, direct"),
        ("ssl_min_protocol_version=1.2", "TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
        ("load_balance_hosts=true", "disable, random"),
        ("keepalives=yes", "0, 1"),
        ("connect_timeout=2s", "a whole number"),
        ("connect_timeout=-1", "a whole number"),
        ("tcp_user_timeout=1.5", "a whole number"),
        ("port=0", "a number from 1 to 65535"),
        ("port=5432,x", "a number from 1 to 65535"),
        ("sslmode=require&sslmode=disable", "more than once"),
    ],
)
def test_what_an_option_may_be_is_told_where_it_is_something_else(
    tmp_path: Path, option: str, expected: str
) -> None:
    said = refusal(tmp_path, DATABASE_URL=f"postgresql://app:hunter2@127.0.0.1/otp?{option}")
    assert said.startswith("DATABASE_URL")
    assert option.partition("=")[0] in said
    assert said.endswith(expected)


@pytest.mark.parametrize("name", ["sslrootcert", "sslcert", "sslkey", "sslcrl"])
def test_a_file_of_tls_has_to_be_there(tmp_path: Path, name: str) -> None:
    for file, why in (("/no/such/file", "No such file"), (str(tmp_path), "Is a directory")):
        url = f"postgresql://app@127.0.0.1/otp?sslmode=require&{name}={file}"
        assert f"the file of {name} can't be read: {why}" in refusal(tmp_path, DATABASE_URL=url)


def test_a_root_certificate_is_needed_and_has_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for mode in ("verify-ca", "verify-full"):
        url = f"postgresql://app@db/otp?sslmode={mode}"
        assert "need sslrootcert" in refusal(tmp_path, DATABASE_URL=url)
        assert "need sslrootcert" in refusal(tmp_path, DATABASE_URL=url, PGSSLROOTCERT="/no/such")
        (tmp_path / "file").write_text("no certificate")
        said = refusal(tmp_path, DATABASE_URL=f"{url}&sslrootcert={tmp_path}/file")
        assert said == "DATABASE_URL: the file of sslrootcert holds no certificate"
        authority = Authority.make(tmp_path, "root")
        with_database(tmp_path, DATABASE_URL=f"{url}&sslrootcert={authority.file}")
        with_database(tmp_path, DATABASE_URL=url, PGSSLROOTCERT=str(authority.file))
        (tmp_path / ".postgresql").mkdir(exist_ok=True)
        (tmp_path / ".postgresql" / "root.crt").write_bytes(authority.file.read_bytes())
        with_database(tmp_path, DATABASE_URL=url)
        (tmp_path / ".postgresql" / "root.crt").unlink()
    system = "postgresql://app@db/otp?sslrootcert=system"
    with_database(tmp_path, DATABASE_URL=f"{system}&sslmode=verify-full")
    assert "needs sslmode=verify-full" in refusal(
        tmp_path, DATABASE_URL=f"{system}&sslmode=require"
    )


def test_an_option_that_may_be_a_piece_of_a_password_is_not_shown(tmp_path: Path) -> None:
    said = refusal(tmp_path, DATABASE_URL="postgresql://db:5432/otp?hunter2=1")
    assert said == "DATABASE_URL has an option that Postgres lacks"


@pytest.mark.parametrize("attrs", ["standby", "read-only", "prefer-standby", "nonsense"])
def test_a_host_that_only_reads_is_not_what_is_wanted(tmp_path: Path, attrs: str) -> None:
    url = f"postgresql://db/otp?target_session_attrs={attrs}"
    assert "target_session_attrs must be read-write" in refusal(tmp_path, DATABASE_URL=url)
