"""The real service and a client of it, on real sockets; a service made by hand, for its faults."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from otp_client import OtpClient
from otp_service import create_app
from otp_service.simulator import Simulator
from otp_service.web.dependencies import dependencies_of
from tests import databases
from tests.clients.python.service import Clock, Service
from tests.conftest import SECRET, new_key, serving
from tests.scenarios.scene import WHATSAPP

_PHONES = (f"+9198765{number:05}" for number in count(10_000))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """With keys, proofs and a simulated WhatsApp; for all tests of a file."""
    folder = tmp_path_factory.mktemp("service")
    with Simulator(seed=1, delay=0.01, number_faults=False) as simulator:
        settings = WHATSAPP | {
            "DATABASE_URL": databases.new_sqlite_file(folder / "otp.db"),
            "OTP_SECRET": SECRET,
            "API_KEYS": "required",
            "GUPSHUP_API_URL": simulator.gupshup_url,
            "OTP_PROOF": "phone",
            "OTP_PROOF_AUDIENCE": "shop",
            "OTP_ALLOWED_COUNTRIES": "IN",
            "OTP_CLIENT_REQUESTS": "off",
        }
        app = create_app(settings, instance=folder / "instance")
        keys = {
            "shop": new_key(app, "shop", "otp", "read"),
            "stranger": new_key(app, "stranger", "otp", "read"),
            "reader": new_key(app, "reader", "read"),
        }
        dependencies = dependencies_of(app)
        dependencies.start()
        with serving(app) as server:
            yield Service(server.url, app, simulator, keys)
        dependencies.stop()
        dependencies.worker.join()
        dependencies.telling.join()


@pytest.fixture
def client(service: Service) -> Iterator[OtpClient]:
    with OtpClient(service.url, service.keys["shop"]) as client:
        yield client


@pytest.fixture
def phone() -> str:
    """Another one in each test."""
    return next(_PHONES)


@pytest.fixture
def clock() -> Clock:
    return Clock()
