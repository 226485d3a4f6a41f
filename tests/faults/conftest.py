"""Fixtures: a Postgres that may fail, a standby of it, and a network that may."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import databases
from tests.conftest import MakeApp, from_nothing
from tests.faults.cluster import Cluster
from tests.faults.loopback import LOOPBACK
from tests.faults.proxy import Proxy
from tests.faults.service import Caller


@pytest.fixture(scope="session")
def cluster_server() -> Iterator[Cluster]:
    """One for all tests: ask for `cluster` instead, which is in order."""
    folder = Path(tempfile.mkdtemp(prefix="otp-test-cluster-"))
    cluster = Cluster.create(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture(scope="session")
def cluster_database(cluster_server: Cluster) -> databases.Postgres:
    return databases.Postgres(cluster_server.url)


@pytest.fixture
def cluster(
    request: pytest.FixtureRequest, cluster_server: Cluster, cluster_database: databases.Postgres
) -> Cluster:
    """Running, with our tables, without rows and sessions, whatever the test before left.

    Without our schema where a test is `from_nothing`.
    """
    cluster_server.start()
    cluster_server.end_sessions()
    if from_nothing(request):
        cluster_database.clear()
    else:
        cluster_database.make_ready()
    return cluster_server


@pytest.fixture
def standby(cluster: Cluster) -> Iterator[Cluster]:
    """An asynchronous standby of `cluster`, for this test alone."""
    standby = cluster.standby(Path(tempfile.mkdtemp(prefix="otp-test-standby-")))
    yield standby
    standby.remove()


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[Proxy]:
    """In front of `cluster`."""
    with Proxy(LOOPBACK, cluster.port) as proxy:
        yield proxy


@pytest.fixture
def urls(cluster: Cluster, proxy: Proxy, tmp_path: Path) -> dict[str, str]:
    """The settings of a service whose Postgres is behind the proxy."""
    fallback = f"sqlite:///{tmp_path / 'fallback.db'}"
    return {"DATABASE_URL": proxy.url(cluster.url), "FALLBACK_DATABASE_URL": fallback}


@pytest.fixture
def caller(make_app: MakeApp, urls: dict[str, str]) -> Caller:
    return Caller(make_app(**urls))
