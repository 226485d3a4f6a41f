"""Fixtures: a provider, two replicas of the service on one database, nginx in front of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from otp_service.simulator import Simulator
from tests.conftest import SECRET
from tests.deploy.nginx import Nginx
from tests.faults.loopback import LOOPBACK
from tests.faults.processes import Server, Servers
from tests.scenarios.scene import META, WHATSAPP

MakeProxy = Callable[..., Nginx]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(seed=1, delay=0.02) as simulator:
        yield simulator


@contextmanager
def two_replicas(database_url: str, simulator: Simulator) -> Iterator[list[Server]]:
    """As on one machine behind nginx; whoever calls them counts as a proxy."""
    settings = WHATSAPP | META
    settings |= {
        "DATABASE_URL": database_url,
        "FALLBACK_DATABASE_URL": "off",
        "OTP_SECRET": SECRET,
        "GUPSHUP_API_URL": simulator.gupshup_url,
        "META_API_URL": simulator.meta_url,
        "OTP_WHATSAPP_SENDERS": "gupshup",
        "TRUSTED_PROXIES": LOOPBACK,
        "GUPSHUP_WEBHOOK_IPS": "192.0.2.7",
    }
    with Servers(**settings) as servers:
        yield servers.start_several(2)


@pytest.fixture(scope="module")
def replicas(
    tmp_path_factory: pytest.TempPathFactory, simulator: Simulator
) -> Iterator[list[Server]]:
    """For all tests of a file, on one SQLite file: none of them stops one."""
    file = tmp_path_factory.mktemp("database") / "otp.db"
    with two_replicas(f"sqlite:///{file}", simulator) as replicas:
        yield replicas


@pytest.fixture
def own_replicas(postgres_url: str, simulator: Simulator) -> Iterator[list[Server]]:
    """For one test, which may stop them, on Postgres."""
    with two_replicas(postgres_url, simulator) as replicas:
        yield replicas


@pytest.fixture
def proxy_of(tmp_path: Path) -> Iterator[MakeProxy]:
    """nginx in front of two addresses, with the file as it is shipped but for ``changes`` in it."""
    with ExitStack() as stack:

        def make(urls: list[str], **changes: str) -> Nginx:
            return stack.enter_context(Nginx(tmp_path, urls, changes))

        yield make


@pytest.fixture
def proxy(proxy_of: MakeProxy, replicas: list[Server]) -> Nginx:
    return proxy_of([replica.url for replica in replicas])
