"""What an attacker could provoke, or an operator must see, is 503 and never falls back."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from otp_service.storage.db import postgres
from tests.conftest import MakeApp
from tests.faults.cluster import Cluster
from tests.faults.queries import connect, run
from tests.faults.service import PHONE, Caller, caller_at


@contextmanager
def read_only(cluster: Cluster) -> Iterator[None]:
    """Every session that begins in this block, and it begins without any."""
    cluster.sql("ALTER DATABASE postgres SET default_transaction_read_only = on")
    cluster.end_sessions()
    try:
        yield
    finally:
        cluster.sql(
            "BEGIN READ WRITE; ALTER DATABASE postgres RESET default_transaction_read_only; COMMIT"
        )


@contextmanager
def stays_out_of_the_fallback(caller: Caller) -> Iterator[None]:
    """Sends are 503 in this block, and work in Postgres after it."""
    with_code = caller.send("+919876543211")
    yield
    assert with_code.id[0] == "p"
    assert caller.verify(with_code.otp, "+919876543211").code == "ok"
    assert caller.send().id[0] == "p"
    assert caller.ready().data["fallback"] == "standby"


def assert_unavailable(caller: Caller) -> None:
    for answer in (caller.send(), caller.resend(), caller.verify("123456")):
        assert (answer.status, answer.code) == (503, "storage_unavailable")


def test_a_lock_on_the_phone_is_waited_for_a_second_at_most(
    caller: Caller, cluster: Cluster
) -> None:
    with stays_out_of_the_fallback(caller), closing(connect(cluster.port)) as other:
        run(other, f"SELECT pg_advisory_lock(hashtextextended('{PHONE}', 0))")
        assert_unavailable(caller)


def test_a_locked_table_is_no_outage(caller: Caller, cluster: Cluster) -> None:
    with stays_out_of_the_fallback(caller), closing(connect(cluster.port)) as other:
        run(other, "BEGIN")
        run(other, "LOCK TABLE otp_service.verifications IN ACCESS EXCLUSIVE MODE")
        assert_unavailable(caller)


def test_a_missing_table_is_no_outage(caller: Caller, cluster: Cluster) -> None:
    with stays_out_of_the_fallback(caller):
        cluster.sql("ALTER SCHEMA otp_service RENAME TO elsewhere")
        assert_unavailable(caller)
        assert caller.ready().status == 503
        cluster.sql("ALTER SCHEMA elsewhere RENAME TO otp_service")


def test_a_database_that_turned_read_only_is_no_outage(caller: Caller, cluster: Cluster) -> None:
    with stays_out_of_the_fallback(caller), read_only(cluster):
        assert_unavailable(caller)


def test_a_constraint_that_refuses_is_no_outage(caller: Caller, cluster: Cluster) -> None:
    with stays_out_of_the_fallback(caller):
        cluster.sql(
            "ALTER TABLE otp_service.deliveries ADD CONSTRAINT never CHECK (false) NOT VALID"
        )
        assert caller.send().code == "storage_unavailable"
        cluster.sql("ALTER TABLE otp_service.deliveries DROP CONSTRAINT never")


def ask_for_a_password(cluster: Cluster, role: str) -> None:
    rules = cluster.folder / "data" / "pg_hba.conf"
    rule = f"host all {role} 127.0.0.1/32 scram-sha-256\n"
    if rule not in rules.read_text():
        rules.write_text(rule + rules.read_text())  # the first that matches holds
    cluster.sql("SELECT pg_reload_conf()")


REFUSALS = {
    "a wrong password": "ALTER ROLE caller PASSWORD 'another'",
    "too many connections": "ALTER ROLE caller CONNECTION LIMIT 0",
    "a role that may not connect": "ALTER ROLE caller NOLOGIN",
}


@pytest.mark.parametrize("how", REFUSALS)
def test_a_connection_that_postgres_refuses_to_this_role_is_no_outage(
    make_app: MakeApp, urls: dict[str, str], cluster: Cluster, how: str
) -> None:
    make_app(**urls)
    ask_for_a_password(cluster, "caller")
    cluster.sql("DROP ROLE IF EXISTS caller")
    cluster.sql("CREATE ROLE caller LOGIN PASSWORD 'right'")
    cluster.sql(REFUSALS[how])
    url = f"postgresql://caller:right@127.0.0.1:{cluster.port}/postgres"
    caller = caller_at(url, **urls)
    assert_unavailable(caller)
    assert caller.ready().data["fallback"] == "standby"


def test_a_host_that_refuses_at_one_of_its_addresses_is_talked_to(
    make_app: MakeApp, urls: dict[str, str], cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`localhost` is ::1, where nobody listens, and 127.0.0.1; a name may have IPv6 that fails."""
    make_app(**urls)
    addresses = ["127.0.0.1", "127.0.0.2"]  # Postgres listens at the first
    monkeypatch.setattr(postgres, "_resolve", lambda _: addresses)
    url = f"postgresql://postgres@db.example.com:{cluster.port}/nowhere"
    for _ in range(2):
        caller = caller_at(url, **urls)
        assert_unavailable(caller)
        assert caller.ready().data["fallback"] == "standby"
        addresses.reverse()


def test_a_host_that_is_an_address_is_not_looked_up(
    make_app: MakeApp, urls: dict[str, str], cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lookup has a thread and a deadline of its own, which a busy machine could miss."""
    make_app(**urls)

    def unknown(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    caller = caller_at(cluster.url, **urls)
    assert caller.send().id[0] == "p"


def test_a_standby_at_one_address_tells_nothing_of_a_primary_at_another(
    make_app: MakeApp, urls: dict[str, str], cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_app(**urls)
    monkeypatch.setattr(postgres, "_resolve", lambda _: ["127.0.0.1", "127.0.0.2"])
    url = f"postgresql://postgres@db.example.com:{cluster.port}/postgres"
    with read_only(cluster):
        caller = caller_at(url, **urls)
        assert caller.send().id[0] == "s"


def test_a_database_that_does_not_exist_is_no_outage(
    make_app: MakeApp, urls: dict[str, str], cluster: Cluster
) -> None:
    make_app(**urls)
    url = f"postgresql://postgres@127.0.0.1:{cluster.port}/nowhere"
    caller = caller_at(url, **urls)
    assert_unavailable(caller)


def test_a_standby_is_503_and_no_reason_to_fall_back(
    caller: Caller, urls: dict[str, str], standby: Cluster
) -> None:
    assert caller.send().id[0] == "p"
    there = caller_at(standby.url, **urls)
    assert_unavailable(there)
    assert there.ready().data["fallback"] == "standby"
