"""A Postgres's URL: every form, and what can't be meant."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.settings.environments import (
    load,
    refusal,
    with_database,
)

LEGAL = "A-._~!$&'()*+,;=:0"  # RFC 3986, 3.2.1: unreserved, sub-delims and the colon


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_both_spellings_of_a_postgres_url_mean_psycopg2(tmp_path: Path, scheme: str) -> None:
    url = load(tmp_path, DATABASE_URL=f"{scheme}://otp:s3cret@db:5432/otp").database_url
    assert url == "postgresql+psycopg2://otp:s3cret@db:5432/otp"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_scheme_of_postgres_means_psycopg2(tmp_path: Path, scheme: str) -> None:
    url = with_database(tmp_path, DATABASE_URL=f"{scheme}://u:p@db:6543/otp?sslmode=require")
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
    url = with_database(tmp_path, DATABASE_URL=f"postgres://us%40er:p%2Cw@{hosts}/otp{options}")
    parsed = sa.make_url(url.database_url)
    assert (parsed.username, parsed.password, parsed.database) == ("us@er", "p,w", "otp")
    engine = sa.create_engine(parsed)
    _, arguments = engine.dialect.create_connect_args(parsed)
    assert (arguments["host"], str(arguments.get("port", ","))) == expected
    assert arguments.get("sslmode") == ("require" if options else None)


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
    said = refusal(tmp_path, DATABASE_URL=f"postgresql://{authority}{rest}")
    assert said.startswith("DATABASE_URL: percent-encode the password")
    for piece in ("hunt", "2024", "er@", "tenant"):
        assert piece not in said


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
    url = with_database(
        tmp_path, DATABASE_URL=f"postgresql://app:{written}@{hosts}/otp"
    ).database_url
    parsed = sa.make_url(url)
    assert (parsed.username, parsed.password, parsed.database) == ("app", password, "otp")
    engine = sa.create_engine(parsed)
    _, arguments = engine.dialect.create_connect_args(parsed)
    names = {"a:1,b:2": "a,b", "[::1]:5432": "::1"}.get(hosts, hosts.partition(":")[0])
    assert (arguments["host"], arguments.get("password", "")) == (names, password)


def test_what_follows_the_hosts_may_have_an_at_sign_or_a_comma(tmp_path: Path) -> None:
    for place in ("db:5432", "app:p@db:5432", "a:1,b:2"):
        text = f"postgresql://{place}/otp?application_name=me@home,too&connect_timeout=3"
        parsed = sa.make_url(with_database(tmp_path, DATABASE_URL=text).database_url)
        assert parsed.query["application_name"] == "me@home,too"
        assert parsed.database == "otp"


def test_a_sockets_folder_may_be_the_host(tmp_path: Path) -> None:
    text = "postgresql://app@%2Frun%2Fpostgresql:5433/otp"
    parsed = sa.make_url(with_database(tmp_path, DATABASE_URL=text).database_url)
    assert (parsed.query["host"], parsed.query["port"]) == ("/run/postgresql", "5433")


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: str) -> None:
    for hosts in (f"db:{port}", f"a:1,b:{port}"):
        said = refusal(tmp_path, DATABASE_URL=f"postgresql://app:hunter2@{hosts}/otp")
        assert said.startswith("DATABASE_URL must be postgresql://")
