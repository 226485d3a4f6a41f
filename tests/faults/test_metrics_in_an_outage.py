"""A scrape tells of an outage, and of its end, without waiting for the database."""

from __future__ import annotations

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
