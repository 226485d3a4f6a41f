"""Servers tell how late messages are, whoever sends them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from otp_service.simulator import Simulator
from tests.faults.processes import Server, Servers
from tests.faults.waiting import until
from tests.scenarios.scene import WHATSAPP
from tests.scrape import Scrape


@pytest.fixture
def servers(simulator: Simulator, database_url: str) -> Iterator[Servers]:
    settings = {
        "DATABASE_URL": database_url,
        "FALLBACK_DATABASE_URL": "off",
        "GUPSHUP_API_URL": simulator.gupshup_url,
        "OTP_SECRET": bytes(range(0x5E, 0x7E)).hex(),
    }
    with Servers(**settings, **WHATSAPP) as servers:
        yield servers


def ages(server: Server) -> set[float | None]:
    """Of several scrapes: whichever process answers."""
    texts = [requests.get(f"{server.url}/metrics", timeout=30).text for _ in range(8)]
    name = "otp_oldest_due_message_age_seconds"
    return {Scrape.of(text).value(name, database="primary") for text in texts}


@pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
def test_without_a_worker_every_process_tells_how_long_a_message_has_waited(
    servers: Servers,
) -> None:
    server = servers.start(OTP_WORKER="off", WEB_CONCURRENCY="2")
    until(lambda: ages(server) == {0})
    server.headers = {"Prefer": "respond-async"}
    server.send()
    until(lambda: all(age and age > 1 for age in ages(server)))
    servers.start()  # with a worker
    until(lambda: ages(server) == {0})
