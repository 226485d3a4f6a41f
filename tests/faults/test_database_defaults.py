"""Databases whose defaults or abilities are not those of a plain Postgres."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from otp_service.storage.models.base import engines_of
from tests.conftest import MakeApp
from tests.faults.cluster import Cluster
from tests.faults.pgbouncer import PgBouncer
from tests.faults.processes import at_once
from tests.faults.service import Caller

THREADS = 16
ISOLATIONS = ("repeatable read", "serializable")
REFUSALS = ("55000", "0A000", "42501")  # Aurora's, those of others, and of a role without the right


@contextmanager
def default_isolation(cluster: Cluster, level: str) -> Iterator[None]:
    """Of every session that begins in this block, and it begins without any."""
    cluster.sql(f"ALTER DATABASE postgres SET default_transaction_isolation = '{level}'")
    cluster.end_sessions()
    try:
        yield
    finally:
        cluster.sql("ALTER DATABASE postgres RESET default_transaction_isolation")


@contextmanager
def no_timeline(cluster: Cluster, sqlstate: str) -> Iterator[None]:
    """A Postgres that does not tell where in its WAL it is."""
    cluster.sql("ALTER FUNCTION pg_catalog.pg_current_wal_lsn() RENAME TO moved")
    body = f"BEGIN RAISE EXCEPTION 'not here' USING ERRCODE = '{sqlstate}'; END"
    cluster.sql(
        "CREATE FUNCTION pg_catalog.pg_current_wal_lsn() RETURNS pg_lsn"
        f" LANGUAGE plpgsql AS $$ {body} $$"
    )
    try:
        yield
    finally:
        cluster.sql("DROP FUNCTION pg_catalog.pg_current_wal_lsn()")
        cluster.sql("ALTER FUNCTION pg_catalog.moved() RENAME TO pg_current_wal_lsn")


def told_by_check(caller: Caller) -> str:
    return caller.app.test_cli_runner().invoke(args=["otp", "check"]).output


@pytest.fixture(params=["straight", "through pgbouncer"])
def url(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[str]:
    if request.param == "straight":
        yield cluster.url
        return
    with closing(PgBouncer(cluster.port)) as bouncer:
        yield bouncer.url


@pytest.mark.statement(29)
@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("level", ISOLATIONS)
def test_limits_hold_whatever_the_databases_default_isolation(
    make_app: MakeApp, urls: dict[str, str], cluster: Cluster, url: str, level: str
) -> None:
    with default_isolation(cluster, level):
        caller = Caller(make_app(**urls | {"DATABASE_URL": url}))
        sends = at_once(40, lambda n: caller.send(purpose=f"p{n}"), THREADS)
        assert 1 <= sends["ok"] <= 5
        assert set(sends) == {"ok", "send_limit_exceeded"}
        sent = caller.send("+919876543211")
        checks = at_once(40, lambda _: caller.verify(sent.otp, "+919876543211"), THREADS)
        assert checks == {"ok": 1, "otp_not_found": 39}
        assert f"default isolation is {level}" in told_by_check(caller)


@pytest.mark.parametrize("sqlstate", REFUSALS)
def test_a_server_without_a_timeline_does_the_rest_and_it_is_said_once(
    make_app: MakeApp,
    urls: dict[str, str],
    cluster: Cluster,
    sqlstate: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    caller = Caller(make_app(**urls))
    before = caller.send("+919876543211")
    with no_timeline(cluster, sqlstate):
        engines_of(caller.app)[0].dispose()
        for _ in range(2):
            sent = caller.send()
            assert sent.id[0] == "p"
            assert caller.resend().code == "ok"
            assert caller.get(sent.id).data["status"] == "pending"
            assert caller.cancel(sent.id).data["status"] == "canceled"
            engines_of(caller.app)[0].dispose()
        # What has a timeline was issued by another server, for all that can be known.
        assert caller.verify(before.otp, "+919876543211").code == "otp_not_found"
        [told] = [r for r in caplog.records if "does not tell its timeline" in r.getMessage()]
        assert told.levelname == "WARNING"
        assert "warning  database: postgresql does not tell its timeline" in told_by_check(caller)
    engines_of(caller.app)[0].dispose()
    assert caller.verify(before.otp, "+919876543211").code == "ok"
