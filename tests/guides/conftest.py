"""A service in its sandbox on real sockets, with keys and tight limits, for all tests of a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import pytest
import requests

from otp_service import create_app
from otp_service.web.dependencies import dependencies_of
from tests import databases
from tests.conftest import SECRET, new_key, serving
from tests.faults.waiting import PATIENCE, until

_PHONES = (f"+9198765{number:05}" for number in count(10_000))


@dataclass(frozen=True)
class Service:
    """``key`` may send and look."""

    url: str
    key: str

    def codes(self, phone: str) -> list[str]:
        """What this phone shows, the newest last."""
        inbox = requests.get(f"{self.url}/sandbox/messages", timeout=PATIENCE).json()["data"]
        return [each["code"] for each in inbox["messages"] if each["phone_number"] == phone]

    def arrived(self, phone: str, number: int = 1) -> str:
        """The newest code on this phone, once so many have come."""
        until(lambda: len(self.codes(phone)) == number)
        return self.codes(phone)[-1]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    settings = {
        "DATABASE_URL": databases.new_sqlite_file(folder / "otp.db"),
        "OTP_SECRET": SECRET,
        "API_KEYS": "required",
        "OTP_ALLOWED_COUNTRIES": "IN",
        "OTP_SEND_LIMITS": "2/10m",
        "OTP_ADDRESS_SEND_LIMITS": "1/10m",
    }
    app = create_app(settings, instance=folder / "instance")
    key = new_key(app, "guide", "otp", "read")
    dependencies = dependencies_of(app)
    dependencies.start()
    with serving(app) as server:
        yield Service(server.url, key)
    dependencies.stop()
    dependencies.worker.join()
    dependencies.telling.join()


@pytest.fixture
def phone() -> str:
    """Another one in each test."""
    return next(_PHONES)
