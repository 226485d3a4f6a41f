"""Several hosts, and a failover from one to another."""

from __future__ import annotations

import pytest

from tests.conftest import MakeApp
from tests.faults.cluster import Cluster
from tests.faults.loopback import LOOPBACK
from tests.faults.proxy import Proxy
from tests.faults.service import Caller
from tests.faults.waiting import until
from tests.storage.helpers import wrong

pytestmark = pytest.mark.usefixtures("patient")


def url_of(*ports: int, options: str = "?target_session_attrs=read-write") -> str:
    hosts = ",".join(f"{LOOPBACK}:{port}" for port in ports)
    return f"postgres://postgres@{hosts}/postgres{options}"


@pytest.mark.parametrize("options", ["?target_session_attrs=read-write", "?sslmode=prefer", ""])
def test_of_several_hosts_the_one_that_can_be_written_to_is_used(
    make_app: MakeApp, urls: dict[str, str], cluster: Cluster, standby: Cluster, options: str
) -> None:
    for ports in ((standby.port, cluster.port), (1, cluster.port, standby.port)):
        url = url_of(*ports, options=options)
        caller = Caller(make_app(**urls | {"DATABASE_URL": url}))
        assert caller.send().id[0] == "p"
        assert caller.cancel(caller.send().id).code == "ok"


def test_a_primary_that_is_gone_is_an_outage_though_its_standby_answers(
    make_app: MakeApp, urls: dict[str, str], proxy: Proxy, standby: Cluster
) -> None:
    caller = Caller(make_app(**urls | {"DATABASE_URL": url_of(proxy.port, standby.port)}))
    proxy.refuse()
    assert caller.send().id[0] == "s"


def test_after_a_failover_the_standby_is_found_and_what_was_issued_before_is_void(
    make_app: MakeApp, urls: dict[str, str], proxy: Proxy, cluster: Cluster, standby: Cluster
) -> None:
    caller = Caller(make_app(**urls | {"DATABASE_URL": url_of(proxy.port, standby.port)}))
    sent = caller.send()
    standby.catch_up(cluster)
    standby.stop_following()
    assert caller.verify(sent.otp).code == "ok"  # which the standby never gets to know
    proxy.refuse()
    standby.promote()
    until(lambda: caller.ready().data["database"] == "ok")
    assert standby.sql("SELECT status FROM otp_service.verifications") == [("pending",)]
    for more in ({}, {"verification_id": sent.id}):
        assert caller.verify(sent.otp, **more).code == "otp_not_found"
    assert caller.get(sent.id).data["status"] == "canceled"
    again = caller.send()
    assert (again.code, again.id[0]) == ("ok", "p")
    assert caller.verify(again.otp).code == "ok"


def test_a_failover_gives_back_no_guesses(
    make_app: MakeApp, urls: dict[str, str], proxy: Proxy, cluster: Cluster, standby: Cluster
) -> None:
    caller = Caller(make_app(**urls | {"DATABASE_URL": url_of(proxy.port, standby.port)}))
    sent = caller.send()
    standby.catch_up(cluster)
    standby.stop_following()
    for _ in range(5):
        assert caller.verify(wrong(sent.otp)).code == "invalid_otp"
    proxy.refuse()
    standby.promote()
    until(lambda: caller.ready().data["database"] == "ok")
    assert caller.verify(wrong(sent.otp)).code == "otp_not_found"
    assert caller.resend().id != sent.id


def test_a_restart_is_no_failover(caller: Caller, cluster: Cluster) -> None:
    sent = caller.send()
    for mode in ("immediate", "fast"):
        cluster.stop(mode)
        cluster.start()
    until(lambda: caller.get(sent.id).status == 200)
    assert caller.verify(sent.otp).code == "ok"
