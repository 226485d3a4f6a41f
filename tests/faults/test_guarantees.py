"""What the engine must give is asked of it; one that lies is found out, and not used."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import StorageUnavailable
from otp_service.storage import admission, schema
from otp_service.storage.db import engine as engines
from otp_service.storage.db import guarantee_check, guarantees
from otp_service.storage.db.database import PING, Database
from otp_service.storage.db.guarantee_check import missing
from tests.conftest import SECRET, MakeApp
from tests.faults.cluster import Cluster
from tests.faults.liars import FUNCTIONS, WORDS, lying
from tests.faults.loopback import free_port
from tests.faults.pgbouncer import PgBouncer
from tests.faults.processes import PATIENCE, ROOT, Servers
from tests.faults.proxy import Proxy
from tests.faults.service import Caller
from tests.faults.waiting import until
from tests.statements import behind_a_pooler

FOUND = {
    "no lock is one": guarantees.NO_LOCK,
    "a lock is one for who tries, and nobody waits": guarantees.NO_WAIT,
    "who tries always has it": guarantees.NO_LOCK,
    "who tries never gets it": guarantees.NO_END,
    "a snapshot for a transaction": guarantees.NOT_READ_COMMITTED,
    "a transaction for a statement": guarantees.ONE_TRANSACTION,
    "SKIP LOCKED skips nothing": guarantees.NOT_SKIPPED,
    "SKIP LOCKED skips what is free": guarantees.NOT_FOUND,
    "a row is not locked": guarantees.NO_ROW_LOCK,
    "a condition is not looked at again": guarantees.NO_SECOND_LOOK,
}
NO_LOCKS = "no lock is one"
IN_WORDS = "it gives no locks that hold between connections"
OTHERS = itertools.count()
ROWS = "SELECT count(*) FROM otp_service.phones"
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


@pytest.fixture
def new_engine(proxy: Proxy, urls: dict[str, str]) -> Iterator[sa.Engine]:
    """Without a connection yet."""
    url = urls["DATABASE_URL"]
    engine = sa.create_engine(url, **engines.options(url, 2))
    engines.prepare(engine)
    yield engine
    engine.dispose()


def test_every_lie_is_tried() -> None:
    assert FOUND.keys() == FUNCTIONS.keys() | WORDS.keys()
    assert set(FOUND.values()) == {
        each for each in vars(guarantees).values() if isinstance(each, guarantees.Missing)
    }


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("form", ["as functions", "as messages"])
@pytest.mark.parametrize("lie", FOUND)
def test_a_lie_is_found_out(
    cluster: Cluster, proxy: Proxy, new_engine: sa.Engine, lie: str, form: str
) -> None:
    if form == "as messages":
        behind_a_pooler(new_engine)
    with lying(cluster, proxy, lie):
        assert missing(new_engine) == FOUND[lie]
    new_engine.dispose()
    proxy.heal()
    assert missing(new_engine) is None
    assert cluster.sql(ROWS) == [(0,)]


@pytest.mark.usefixtures("patient")
def test_a_postgres_gives_it_to_several_who_ask_at_once_and_nothing_is_left_behind(
    cluster: Cluster, new_engine: sa.Engine
) -> None:
    others = [sa.create_engine(new_engine.url, **engines.options(cluster.url, 2)) for _ in "abcd"]
    for engine in others:
        engines.prepare(engine)
    with ThreadPoolExecutor(len(others)) as pool:
        assert list(pool.map(missing, others)) == [None] * len(others)
    assert (cluster.sql(ROWS), cluster.sql(LOCKS)) == ([(0,)], [(0,)])
    for engine in others:
        engine.dispose()


@pytest.mark.usefixtures("patient")
def test_a_postgres_behind_pgbouncer_gives_it(cluster: Cluster) -> None:
    with closing(PgBouncer(cluster.port)) as bouncer:
        engine = sa.create_engine(bouncer.url, **engines.options(bouncer.url, 2))
        engines.prepare(engine)
        assert missing(engine) is None
        engine.dispose()
    assert (cluster.sql(ROWS), cluster.sql(LOCKS)) == ([(0,)], [(0,)])


@pytest.mark.from_nothing
def test_a_database_without_tables_can_not_be_asked(
    cluster: Cluster, new_engine: sa.Engine
) -> None:
    with pytest.raises(StorageUnavailable, match="unavailable") as caught:
        missing(new_engine)
    assert "SQLSTATE 42P01" in caught.value.reason


def start(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """What runs until it ends by itself."""
    settings = {"OTP_SECRET": SECRET, "PORT": str(free_port())} | settings
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize("processes", ["1", "2"])
def test_the_server_does_not_start_on_an_engine_without_locks(
    cluster: Cluster, proxy: Proxy, urls: dict[str, str], processes: str
) -> None:
    with lying(cluster, proxy, NO_LOCKS):
        done = start("wsgi.py", WEB_CONCURRENCY=processes, **urls)
    assert done.returncode == 2
    assert IN_WORDS in done.stderr
    assert "two connections held the same advisory lock at a time" in done.stderr
    assert "a code could be accepted twice" in done.stderr
    assert "Use PostgreSQL" in done.stderr


def test_nor_does_a_worker(cluster: Cluster, proxy: Proxy, urls: dict[str, str]) -> None:
    with lying(cluster, proxy, NO_LOCKS):
        done = start("-m", "otp_service", "worker", **urls | {"FALLBACK_DATABASE_URL": "off"})
    assert done.returncode == 2
    assert IN_WORDS in done.stderr


def test_otp_check_tells_of_it(
    make_app: MakeApp, cluster: Cluster, proxy: Proxy, urls: dict[str, str]
) -> None:
    run = make_app(**urls).test_cli_runner().invoke
    assert "two connections found that its locks hold" in run(args=["otp", "check"]).output
    with lying(cluster, proxy, NO_LOCKS):
        done = run(args=["otp", "check"])
    assert done.exit_code == 1
    assert f"problem  database: it can't be used: {IN_WORDS}" in done.output


@pytest.mark.parametrize("tables", ["with tables", "without tables"])
def test_one_that_comes_after_the_service_is_asked_before_it_is_used(
    servers: Servers, cluster: Cluster, proxy: Proxy, tables: str
) -> None:
    if tables == "without tables":
        cluster.sql("DROP SCHEMA otp_service CASCADE")
    with lying(cluster, proxy, NO_LOCKS):
        proxy.refuse()
        server = servers.start()
        assert server.send().id[0] == "s"
        proxy.heal()
        until(lambda: refuses(server), PATIENCE)
        assert server.ready().data["database"] == "unavailable"
    assert cluster.sql("SELECT count(*) FROM otp_service.verifications") == [(0,)]


def test_one_that_comes_after_the_service_and_gives_all_is_used(
    servers: Servers, proxy: Proxy
) -> None:
    proxy.refuse()
    server = servers.start()
    assert server.send().id[0] == "s"
    proxy.heal()
    until(lambda: server.ready().data["database"] == "ok", PATIENCE)
    assert server.send("+919876543211").id[0] == "p"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_that_comes_is_used_whatever_goes_wrong_while_it_is_made_ready(
    proxy: Proxy, new_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(engine: sa.Engine) -> None:
        raise RuntimeError

    monkeypatch.setattr(schema, "upgrade", fail)
    monkeypatch.setattr(guarantee_check, "missing", fail)
    proxy.refuse()
    database = Database(new_engine)
    admission.ask_when_there(database)
    assert database.is_down
    proxy.heal()
    until(lambda: not database.is_down, PATIENCE)
    database.run(PING)


def test_one_that_comes_is_used_though_what_it_should_tell_of_its_tables_does_not_come(
    cluster: Cluster, proxy: Proxy, new_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "ASK_SECONDS", 0.5)
    proxy.refuse()
    database = Database(new_engine)
    admission.ask_when_there(database)
    with sa.create_engine(cluster.url).begin() as connection:
        connection.execute(sa.text("LOCK TABLE otp_service.alembic_version"))
        proxy.heal()
        until(lambda: not database.is_down, PATIENCE)
        database.run(PING)


def refuses(caller: Caller) -> bool:
    """Each time another person, since who has a code in the fallback gets no other."""
    answer = caller.send(f"+9198765{next(OTHERS):05}")
    return (answer.status, answer.code) == (503, "storage_unavailable")


@pytest.fixture
def servers(urls: dict[str, str]) -> Iterator[Servers]:
    with Servers(OTP_SECRET=SECRET, **urls) as servers:
        yield servers
