"""Each fault does what it says, with plain psycopg2."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Literal

import psycopg2
import pytest
from psycopg2 import extensions

from tests.faults.cluster import Cluster
from tests.faults.loopback import LOOPBACK
from tests.faults.proxy import Proxy
from tests.faults.queries import ask, connect, run, wait

INSERT = "INSERT INTO otp_service.kept VALUES ('milk')"
SLOW = "SELECT pg_sleep(0.2)"
COUNT = "SELECT count(*) FROM otp_service.kept"
TIMELINE = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
pytestmark = pytest.mark.from_nothing


@pytest.fixture
def cluster(cluster: Cluster) -> Cluster:
    """With a table to write into."""
    cluster.sql("CREATE SCHEMA otp_service CREATE TABLE kept (what text)")
    return cluster


@pytest.fixture
def connection(proxy: Proxy) -> Iterator[extensions.connection]:
    """Through the proxy, open."""
    connection = connect(proxy.port)
    yield connection
    connection.close()


def kept(cluster: Cluster) -> int:
    return int(cluster.sql(COUNT)[0][0])


def test_a_request_that_is_cut_is_never_executed(
    cluster: Cluster, proxy: Proxy, connection: extensions.connection
) -> None:
    proxy.cut_before_request(b"INSERT")
    with pytest.raises(psycopg2.OperationalError):
        run(connection, INSERT)
    assert kept(cluster) == 0


def test_of_a_lost_reply_the_row_is_there_at_once(
    cluster: Cluster, proxy: Proxy, connection: extensions.connection
) -> None:
    proxy.cut_before_reply(b"INSERT")
    with pytest.raises(psycopg2.OperationalError):
        run(connection, f"{SLOW}; {INSERT}")
    assert kept(cluster) == 1


def test_after_a_reply_the_connection_is_gone(
    cluster: Cluster, proxy: Proxy, connection: extensions.connection
) -> None:
    proxy.cut_after_reply(b"INSERT")
    assert run(connection, f"{INSERT} RETURNING what") == [("milk",)]
    with pytest.raises(psycopg2.OperationalError):
        run(connection, INSERT)
    assert kept(cluster) == 1


def test_a_cut_waits_for_its_statement_and_happens_so_many_times(proxy: Proxy) -> None:
    proxy.cut_before_reply(b"'milk'", times=2)
    assert ask(proxy.port, COUNT) == [(0,)]
    for pending in (1, 0):
        with pytest.raises(psycopg2.OperationalError):
            ask(proxy.port, INSERT)
        assert proxy.pending == pending
    ask(proxy.port, INSERT)
    assert ask(proxy.port, COUNT) == [(3,)]
    assert proxy.connections == 5


def test_a_prepared_statement_is_cut_too(cluster: Cluster, proxy: Proxy) -> None:
    def message(kind: bytes, body: bytes) -> bytes:
        return kind + (4 + len(body)).to_bytes(4, "big") + body

    proxy.cut_before_reply(b"INSERT")
    start = message(b"", b"\0\3\0\0user\0postgres\0\0")
    parse = message(b"P", b"\0" + INSERT.encode() + b"\0\0\0")
    bind, execute = message(b"B", bytes(8)), message(b"E", bytes(5))
    with socket.create_connection((LOOPBACK, proxy.port), timeout=20) as client:
        client.sendall(start)
        while not client.recv(65536).endswith(b"Z\0\0\0\5I"):
            pass
        client.sendall(parse + bind + execute + message(b"S", b""))
        assert client.recv(65536) == b""
    assert kept(cluster) == 1


def test_in_a_silence_nothing_answers_and_what_it_held_back_arrives_after_it(
    cluster: Cluster, proxy: Proxy, connection: extensions.connection
) -> None:
    proxy.silence()
    with pytest.raises(TimeoutError):
        ask(proxy.port, "SELECT 1", timeout=0.3)
    cursor = connection.cursor()
    cursor.execute(INSERT)
    with pytest.raises(TimeoutError):
        wait(connection, timeout=0.3)
    assert kept(cluster) == 0
    proxy.heal()
    wait(connection)
    assert kept(cluster) == 1
    assert ask(proxy.port, "SELECT 1") == [(1,)]


def test_refused_is_refused_until_it_heals(proxy: Proxy, connection: extensions.connection) -> None:
    proxy.refuse()
    with pytest.raises(psycopg2.OperationalError):
        run(connection, "SELECT 1")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, proxy.port))
    proxy.heal()
    assert ask(proxy.port, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("silent", [False, True])
def test_a_cut_ends_connections_and_lets_new_ones_in(
    proxy: Proxy, connection: extensions.connection, silent: bool
) -> None:
    if silent:
        proxy.silence()
    proxy.cut()
    with pytest.raises(psycopg2.OperationalError):
        run(connection, "SELECT 1")
    proxy.heal()
    assert ask(proxy.port, "SELECT 1") == [(1,)]


def test_what_heals_forgets_the_cuts_that_were_pending(proxy: Proxy) -> None:
    proxy.cut_before_request(b"SELECT", times=5)
    proxy.heal()
    assert ask(proxy.port, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("silent", [False, True])
def test_a_closed_proxy_leaves_no_thread(cluster: Cluster, silent: bool) -> None:
    before = set(threading.enumerate())
    with Proxy(LOOPBACK, cluster.port) as proxy:
        connections = [connect(proxy.port) for _ in range(3)]
        if silent:
            proxy.silence()
        waiting = socket.create_connection((LOOPBACK, proxy.port))
        assert set(threading.enumerate()) - before
    assert not set(threading.enumerate()) - before
    waiting.close()
    for connection in connections:
        connection.close()


def test_a_proxy_can_lead_elsewhere(proxy: Proxy, cluster: Cluster, standby: Cluster) -> None:
    assert proxy.url(cluster.url).endswith(f"postgres@127.0.0.1:{proxy.port}/postgres")
    proxy.target = (LOOPBACK, standby.port)
    assert ask(proxy.port, "SELECT pg_is_in_recovery()") == [(True,)]


@pytest.mark.parametrize("mode", ["immediate", "fast"])
def test_a_server_that_stops_in_mid_query_comes_back_with_its_rows(
    cluster: Cluster, mode: Literal["immediate", "fast"]
) -> None:
    cluster.sql(INSERT)
    connection = connect(cluster.port)
    stopping = threading.Timer(0.3, cluster.stop, [mode])
    stopping.start()
    with pytest.raises(psycopg2.Error):
        run(connection, "SELECT pg_sleep(60)")
    stopping.join()
    assert not cluster.is_running
    with pytest.raises(psycopg2.OperationalError):
        connect(cluster.port)
    cluster.start()
    assert kept(cluster) == 1


@pytest.mark.parametrize("stopped", [False, True])
def test_a_test_gets_a_running_cluster_without_what_the_last_one_left(
    cluster_server: Cluster, request: pytest.FixtureRequest, stopped: bool
) -> None:
    cluster_server.start()
    left = connect(cluster_server.port)
    run(left, "CREATE SCHEMA IF NOT EXISTS otp_service")
    run(left, "BEGIN")
    run(left, "CREATE TABLE otp_service.held ()")
    if stopped:
        cluster_server.stop()
    assert kept(request.getfixturevalue("cluster")) == 0
    left.close()


def test_a_promoted_standby_takes_over_with_what_it_had(cluster: Cluster, standby: Cluster) -> None:
    [(before,)] = cluster.sql(TIMELINE)
    cluster.sql(INSERT)
    standby.catch_up(cluster)
    standby.stop_following()
    cluster.sql(INSERT)
    cluster.sql(SLOW)  # a standby that follows would have the row by now
    cluster.stop()
    standby.promote()
    assert kept(standby) == 1
    standby.sql(INSERT)
    assert standby.sql(TIMELINE) != [(before,)]
