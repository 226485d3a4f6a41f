"""Through pgbouncer in transaction mode, with fewer connections than the service has threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from psycopg2 import extensions

from otp_service.storage.models.base import engines_of
from tests.conftest import MakeApp
from tests.faults.cluster import Cluster
from tests.faults.pgbouncer import SERVER_CONNECTIONS, PgBouncer
from tests.faults.processes import at_once
from tests.faults.queries import connect, run
from tests.faults.service import PHONE, Caller
from tests.faults.waiting import until
from tests.statements import recorded
from tests.storage.helpers import wrong

THREADS = 16  # the service's own number of them, and so of its connections to pgbouncer
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
PER_SESSION = ("statement_timeout", "lock_timeout", "search_path")
SLOW = """
CREATE FUNCTION otp_service.dawdle() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN PERFORM pg_sleep(0.05); RETURN NULL; END';
CREATE TRIGGER dawdle_first AFTER INSERT ON otp_service.verifications
  FOR EACH ROW EXECUTE FUNCTION otp_service.dawdle();
CREATE TRIGGER dawdle AFTER UPDATE ON otp_service.verifications
  FOR EACH ROW EXECUTE FUNCTION otp_service.dawdle();
"""


@pytest.fixture
def bouncer(cluster: Cluster) -> Iterator[PgBouncer]:
    with closing(PgBouncer(cluster.port)) as bouncer:
        yield bouncer


@pytest.fixture
def urls(bouncer: PgBouncer, tmp_path: Path) -> dict[str, str]:
    fallback = f"sqlite:///{tmp_path / 'fallback.db'}"
    return {"DATABASE_URL": bouncer.url, "FALLBACK_DATABASE_URL": fallback}


@pytest.fixture(params=["past pgbouncer", "through pgbouncer"])
def caller(
    request: pytest.FixtureRequest, make_app: MakeApp, urls: dict[str, str], cluster: Cluster
) -> Caller:
    """Its schema was made by `flask otp init-db` in either way."""
    if request.param == "past pgbouncer":
        make_app(**urls | {"DATABASE_URL": cluster.url})
    return Caller(make_app(**urls))


@pytest.fixture
def slow_caller(patient: None, caller: Caller, cluster: Cluster) -> Caller:
    """What it writes takes long enough that two connections certainly race."""
    cluster.sql(SLOW)
    return caller


through_pgbouncer = pytest.mark.parametrize("caller", ["through pgbouncer"], indirect=True)


def test_the_whole_tour_works(caller: Caller) -> None:
    sent = caller.send()
    assert sent.id[0] == "p"
    assert caller.send().code == "otp_already_sent"
    resent = caller.resend()
    assert caller.get(sent.id).data["status"] == "pending"
    assert caller.verify(sent.otp).code == "invalid_otp"
    assert caller.verify(resent.otp).code == "ok"
    assert caller.verify(resent.otp).code == "otp_not_found"
    assert caller.cancel(caller.send().id).data["status"] == "canceled"
    assert caller.ready().data["database"] == "ok"
    runner = caller.app.test_cli_runner()
    for command in ("init-db", "cleanup", f"erase --yes {PHONE}", "keys create shop", "keys list"):
        done = runner.invoke(args=["otp", *command.split()])
        assert done.exit_code == 0, done.output
    assert caller.get(sent.id).code == "not_found"


def test_a_pooler_is_sent_messages_and_check_says_so(caller: Caller) -> None:
    messages = recorded(engines_of(caller.app)[0])
    runner = caller.app.test_cli_runner()
    assert "sessions keep nothing" in runner.invoke(args=["otp", "check"]).output
    assert caller.verify(caller.send().otp).code == "ok"
    assert messages
    assert not any(b"pg_temp" in message for message in messages)


@through_pgbouncer
def test_a_hundred_sends_at_once_are_one_message(slow_caller: Caller, cluster: Cluster) -> None:
    answers = at_once(100, lambda _: slow_caller.send(), THREADS)
    assert answers == {"ok": 1, "otp_already_sent": 99}
    rows = "SELECT (SELECT count(*) FROM otp_service.{}), (SELECT count(*) FROM otp_service.{})"
    assert cluster.sql(rows.format("verifications", "deliveries")) == [(1, 1)]


@through_pgbouncer
def test_a_hundred_right_codes_at_once_verify_once(slow_caller: Caller) -> None:
    otp = slow_caller.send().otp
    answers = at_once(100, lambda _: slow_caller.verify(otp), THREADS)
    assert answers == {"ok": 1, "otp_not_found": 99}


def settings_of(connection: extensions.connection) -> list[str]:
    return [run(connection, f"SHOW {name}")[0][0] for name in PER_SESSION]


def test_of_two_hundred_wrong_codes_five_are_judged_and_nothing_is_left_behind(
    slow_caller: Caller, bouncer: PgBouncer, cluster: Cluster
) -> None:
    otp = slow_caller.send().otp
    answers = at_once(200, lambda _: slow_caller.verify(wrong(otp)), THREADS)
    assert answers == {"invalid_otp": 5, "too_many_attempts": 195}
    assert cluster.sql(LOCKS) == [(0,)]
    with ExitStack() as stack:
        fresh = stack.enter_context(closing(connect(cluster.port)))
        # Each with a transaction, and so with a server connection that nobody else has.
        used = [stack.enter_context(closing(connect(bouncer.port))) for _ in range(2)]
        backends = set()
        for connection in used:
            run(connection, "BEGIN")
            backends.add(run(connection, "SELECT pg_backend_pid()")[0][0])
            assert settings_of(connection) == settings_of(fresh)
    assert len(backends) == SERVER_CONNECTIONS


@through_pgbouncer
def test_postgres_stops_behind_a_pgbouncer_that_goes_on(caller: Caller, cluster: Cluster) -> None:
    before = caller.send()
    other = "+919876543211"
    cluster.stop("immediate")
    during = caller.send(other)
    assert (during.code, during.id[0]) == ("ok", "s")
    for _ in range(5):
        answer = caller.verify(before.otp)
        assert (answer.status, answer.code) == (503, "storage_unavailable")
    assert caller.ready().data["fallback"] == "active"
    assert caller.verify(during.otp, other).code == "ok"
    cluster.start()
    until(lambda: caller.ready().data["database"] == "ok")
    assert caller.get(before.id).data["attempts_remaining"] == 5
    assert caller.verify(before.otp).code == "ok"
    assert caller.send(other).id[0] == "p"
