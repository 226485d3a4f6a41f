"""Where the databases are: every form of the two settings, and what can't be meant."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from otp_service import create_app
from otp_service.environment import SettingsError
from otp_service.settings import Settings
from tests.conftest import SECRET
from tests.faults.gates import Authority

ROOT = Path(__file__).parents[2]


def settings(instance: Path, **environ: str) -> Settings:
    return Settings.from_env({"OTP_SECRET": SECRET} | environ, instance)


def problems(instance: Path, **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        settings(instance, **environ)
    return "\n".join(caught.value.problems)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_scheme_of_postgres_means_psycopg2(tmp_path: Path, scheme: str) -> None:
    url = settings(tmp_path, DATABASE_URL=f"{scheme}://u:p@db:6543/otp?sslmode=require")
    parsed = sa.make_url(url.database_url)
    assert parsed.drivername == "postgresql+psycopg2"
    assert (parsed.host, parsed.port, parsed.query["sslmode"]) == ("db", 6543, "require")


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


@pytest.mark.parametrize(
    "authority",
    [
        "app:hunt@er@127.0.0.1:5432",
        "app:@hunter@127.0.0.1",
        "app:hunter@@127.0.0.1",
        "app@tenant:hunter@127.0.0.1",
        "app:hunt@er@a:1,b:2",
        "app:hunt,@er@127.0.0.1:5432",
        "app:hunt/er@127.0.0.1:5432",
        "app:2024/hunter@127.0.0.1:5432",
        "app:hunt?er@127.0.0.1:5432",
        "app:hunt@er/x@127.0.0.1:5432",
    ],
)
@pytest.mark.parametrize("rest", ["/otp", "/otp?sslmode=disable", ""])
def test_a_password_that_has_to_be_percent_encoded_is_told_so_and_not_shown(
    tmp_path: Path, authority: str, rest: str
) -> None:
    said = problems(tmp_path, DATABASE_URL=f"postgresql://{authority}{rest}")
    assert said.startswith("DATABASE_URL: percent-encode the password")
    for piece in ("hunt", "2024", "er@", "tenant"):
        assert piece not in said


LEGAL = "A-._~!$&'()*+,;=:0"  # RFC 3986, 3.2.1: unreserved, sub-delims and the colon


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("2024,secret", "2024,secret"),
        (",", ","),
        ("a,b:c,d", "a,b:c,d"),
        (LEGAL, LEGAL),
        ("p%40ss%2Fw%3Fo%23r%25d%2C", "p@ss/w?o#r%d,"),
        ("p#ss", "p#ss"),  # none of RFC 3986, but as libpq has it
        ("100%sure", "100%sure"),
        ("", ""),
        ("p[s]s", "p[s]s"),
    ],
)
@pytest.mark.parametrize("hosts", ["127.0.0.1:5432", "a:1,b:2", "[::1]:5432", "db"])
def test_a_password_is_split_off_before_the_hosts(
    tmp_path: Path, written: str, password: str, hosts: str
) -> None:
    url = settings(tmp_path, DATABASE_URL=f"postgresql://app:{written}@{hosts}/otp").database_url
    parsed = sa.make_url(url)
    assert (parsed.username, parsed.password, parsed.database) == ("app", password, "otp")
    engine = sa.create_engine(parsed)
    _, arguments = engine.dialect.create_connect_args(parsed)
    names = {"a:1,b:2": "a,b", "[::1]:5432": "::1"}.get(hosts, hosts.partition(":")[0])
    assert (arguments["host"], arguments.get("password", "")) == (names, password)


def test_what_follows_the_hosts_may_have_an_at_sign_or_a_comma(tmp_path: Path) -> None:
    for place in ("db:5432", "app:p@db:5432", "a:1,b:2"):
        text = f"postgresql://{place}/otp?application_name=me@home,too&connect_timeout=3"
        parsed = sa.make_url(settings(tmp_path, DATABASE_URL=text).database_url)
        assert parsed.query["application_name"] == "me@home,too"
        assert parsed.database == "otp"


def test_a_sockets_folder_may_be_the_host(tmp_path: Path) -> None:
    text = "postgresql://app@%2Frun%2Fpostgresql:5433/otp"
    parsed = sa.make_url(settings(tmp_path, DATABASE_URL=text).database_url)
    assert (parsed.query["host"], parsed.query["port"]) == ("/run/postgresql", "5433")


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
    said = problems(tmp_path, DATABASE_URL=f"postgresql://app:hunter2@127.0.0.1/otp?{option}")
    assert said.startswith("DATABASE_URL")
    assert option.partition("=")[0] in said
    assert said.endswith(expected)


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: str) -> None:
    for hosts in (f"db:{port}", f"a:1,b:{port}"):
        said = problems(tmp_path, DATABASE_URL=f"postgresql://app:hunter2@{hosts}/otp")
        assert said.startswith("DATABASE_URL must be postgresql://")


@pytest.mark.parametrize("name", ["sslrootcert", "sslcert", "sslkey", "sslcrl"])
def test_a_file_of_tls_has_to_be_there(tmp_path: Path, name: str) -> None:
    for file, why in (("/no/such/file", "No such file"), (str(tmp_path), "Is a directory")):
        url = f"postgresql://app@127.0.0.1/otp?sslmode=require&{name}={file}"
        assert f"the file of {name} can't be read: {why}" in problems(tmp_path, DATABASE_URL=url)


def test_a_root_certificate_is_needed_and_has_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for mode in ("verify-ca", "verify-full"):
        url = f"postgresql://app@db/otp?sslmode={mode}"
        assert "need sslrootcert" in problems(tmp_path, DATABASE_URL=url)
        assert "need sslrootcert" in problems(tmp_path, DATABASE_URL=url, PGSSLROOTCERT="/no/such")
        (tmp_path / "file").write_text("no certificate")
        said = problems(tmp_path, DATABASE_URL=f"{url}&sslrootcert={tmp_path}/file")
        assert said == "DATABASE_URL: the file of sslrootcert holds no certificate"
        authority = Authority.make(tmp_path, "root")
        settings(tmp_path, DATABASE_URL=f"{url}&sslrootcert={authority.file}")
        settings(tmp_path, DATABASE_URL=url, PGSSLROOTCERT=str(authority.file))
        (tmp_path / ".postgresql").mkdir(exist_ok=True)
        (tmp_path / ".postgresql" / "root.crt").write_bytes(authority.file.read_bytes())
        settings(tmp_path, DATABASE_URL=url)
        (tmp_path / ".postgresql" / "root.crt").unlink()
    system = "postgresql://app@db/otp?sslrootcert=system"
    settings(tmp_path, DATABASE_URL=f"{system}&sslmode=verify-full")
    assert "needs sslmode=verify-full" in problems(
        tmp_path, DATABASE_URL=f"{system}&sslmode=require"
    )


def test_an_option_that_may_be_a_piece_of_a_password_is_not_shown(tmp_path: Path) -> None:
    said = problems(tmp_path, DATABASE_URL="postgresql://db:5432/otp?hunter2=1")
    assert said == "DATABASE_URL has an option that Postgres lacks"


def test_the_command_ends_with_2_and_without_the_password() -> None:
    environ = {"DATABASE_URL": "postgresql://app:hunt@er2@127.0.0.1:1/otp", "OTP_SECRET": SECRET}
    done = subprocess.run(
        [sys.executable, "wsgi.py"],
        cwd=ROOT,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "percent-encode the password" in done.stderr
    assert "er2" not in done.stdout + done.stderr


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
