"""Fixtures: a simulated provider, and the service that uses it, both on real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from otp_service.simulator import Simulator
from otp_service.web.dependencies import Dependencies, dependencies_of
from tests.conftest import MakeApp, Serve
from tests.scenarios.scene import APP_SECRET, SECRET, WHATSAPP, Scene

MakeScene = Callable[..., Scene]


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """Postgres; or SQLite where a test asks for it."""
    return str(request.getfixturevalue(f"{getattr(request, 'param', 'postgres')}_url"))


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(seed=1, delay=0.02, retry_pause=0.1) as simulator:
        yield simulator


@pytest.fixture
def make_scene(
    make_app: MakeApp, serve: Serve, simulator: Simulator, database_url: str, patient: None
) -> Iterator[MakeScene]:
    """Services with a worker of their own, unless it says otherwise; by default on WhatsApp."""
    started: list[Dependencies] = []

    def make(*accounts: dict[str, str], **settings: str) -> Scene:
        where = {
            "DATABASE_URL": database_url,
            "FALLBACK_DATABASE_URL": "off",
            "API_KEYS": "off",
            "GUPSHUP_API_URL": simulator.gupshup_url,
            "GUPSHUP_SMS_API_URL": simulator.sms_url,
            "META_API_URL": simulator.meta_url,
        }
        for account in accounts or (WHATSAPP,):
            where |= account
        server = serve(make_app(**_known(where) | settings))
        dependencies = dependencies_of(server.app)
        dependencies.start()
        started.append(dependencies)
        hook = f"{server.url}/webhooks"
        simulator.callback_url = f"{hook}/gupshup"
        simulator.callback_secret = SECRET
        simulator.sms_callback_url = f"{hook}/gupshup-sms?token={SECRET}"
        simulator.meta_callback_url = f"{hook}/meta"
        simulator.meta_app_secret = APP_SECRET
        return Scene(server.app, server.url, simulator)

    yield make
    for dependencies in started:
        dependencies.stop()
        dependencies.worker.join()
        dependencies.telling.join()


def _known(settings: dict[str, str]) -> dict[str, str]:
    """Without the URLs of accounts that are not configured: half of one is refused."""
    urls = {"GUPSHUP_API_KEY": "GUPSHUP_API_URL", "GUPSHUP_SMS_USERID": "GUPSHUP_SMS_API_URL"}
    urls["META_ACCESS_TOKEN"] = "META_API_URL"
    absent = {url for key, url in urls.items() if key not in settings}
    return {name: value for name, value in settings.items() if name not in absent}


@pytest.fixture
def scene(make_scene: MakeScene) -> Scene:
    """WhatsApp alone."""
    return make_scene()
