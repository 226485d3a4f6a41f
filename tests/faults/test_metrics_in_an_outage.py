"""A scrape tells of an outage, and of its end, without waiting for the database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.conftest import SECRET, MakeApp
from tests.faults.processes import Server, Servers
from tests.faults.proxy import Proxy
from tests.faults.service import Caller
from tests.faults.waiting import until
from tests.scrape import Scrape


def homes(caller: Caller) -> tuple[float | None, float | None]:
    found = Scrape.of(caller.http.get("/metrics").text)
    return found.value("otp_database_up"), found.value("otp_fallback_active")


def test_the_gauges_follow_an_outage_and_its_end(caller: Caller, proxy: Proxy) -> None:
    assert homes(caller) == (1, 0)
    proxy.refuse()
    assert caller.send().id[0] == "s"
    assert homes(caller) == (0, 1)
    proxy.heal()
    until(lambda: homes(caller) == (1, 0))


@pytest.fixture
def server(make_app: MakeApp, urls: dict[str, str]) -> Iterator[Server]:
    """Without a worker."""
    make_app(**urls)
    with Servers(OTP_SECRET=SECRET, OTP_WORKER="off", **urls) as servers:
        yield servers.start()


def ages(server: Server) -> tuple[float | None, float | None]:
    """How late messages are in Postgres, and in the fallback."""
    found = Scrape.of(requests.get(f"{server.url}/metrics", timeout=30).text)
    name = "otp_oldest_due_message_age_seconds"
    return found.value(name, database="primary"), found.value(name, database="fallback")


def test_of_a_database_that_is_away_no_age_of_its_messages_is_told(
    server: Server, proxy: Proxy
) -> None:
    until(lambda: ages(server) == (0, 0))
    server.headers = {"Prefer": "respond-async"}
    proxy.refuse()
    assert server.send().id[0] == "s"
    until(lambda: ages(server)[0] is None)
    until(lambda: (ages(server)[1] or 0) > 0)
    proxy.heal()
    until(lambda: ages(server)[0] == 0)


def test_a_silent_postgres_keeps_no_scrape_waiting_and_is_found_out_without_a_request(
    server: Server, proxy: Proxy
) -> None:
    until(lambda: ages(server) == (0, 0))
    proxy.silence()
    until(lambda: ages(server) == (None, 0))
    assert server.ready().data["database"] == "unavailable"
    proxy.heal()
    until(lambda: ages(server) == (0, 0))
