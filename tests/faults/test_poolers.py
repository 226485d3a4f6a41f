"""Poolers speak for the database behind them: their words tell whether it is gone."""

from __future__ import annotations

import pytest

from tests.conftest import MakeApp
from tests.faults import gates
from tests.faults.cluster import Cluster
from tests.faults.loopback import LOOPBACK
from tests.faults.service import Caller, caller_at

GONE = "(EDBHANDLEREXITED) connection to database closed. Check logs for more information"
SAID = {  # by Supavisor and pgbouncer; which home takes a new verification, if any does
    ("XX000", GONE): "s",
    ("XX000", "(ECHECKOUTRETRIES) failed to check out a connection after multiple retries"): "s",
    ("08P01", "server login has been failing, try again later (server_login_retry)"): "s",
    ("XX000", "(ECHECKOUTTIMEOUT) unable to check out connection from the pool"): "",
    ("XX000", "(ENOTFOUND) tenant/user otp_service.abc not found"): "",
    ("XX000", "Tenant or user not found"): "",
    ("08P01", "no more connections allowed (max_client_conn)"): "",
    ("08P01", "query_wait_timeout"): "",
}
pytestmark = pytest.mark.usefixtures("patient")


@pytest.mark.parametrize(("sqlstate", "text"), SAID)
@pytest.mark.parametrize("way", ["refusing", "letting_in_and_then"])
def test_a_new_connection(
    make_app: MakeApp, urls: dict[str, str], way: str, sqlstate: str, text: str
) -> None:
    """All sends alike, not the first alone: each meets a new connection, or an open circuit."""
    make_app(**urls)
    with gates.gate(getattr(gates, way)(sqlstate, text)) as port:
        url = f"postgresql://otp_service@{LOOPBACK}:{port}/postgres"
        caller = caller_at(url, **urls)
        expected = SAID[sqlstate, text]
        for number in range(3):
            sent = caller.send(f"+91987654321{number}")
            assert sent.code == ("ok" if expected else "storage_unavailable")
            assert not expected or sent.id[0] == expected
        assert caller.ready().data["fallback"] == ("active" if expected else "standby")


@pytest.mark.parametrize(("sqlstate", "text"), SAID)
def test_in_the_middle_of_a_transaction(
    caller: Caller, cluster: Cluster, sqlstate: str, text: str
) -> None:
    cluster.sql(
        "CREATE FUNCTION otp_service.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION USING ERRCODE = '{sqlstate}', MESSAGE = '{text}'; END $$"
    )
    cluster.sql(
        "CREATE TRIGGER refuse BEFORE INSERT ON otp_service.deliveries"
        " FOR EACH ROW EXECUTE FUNCTION otp_service.refuse()"
    )
    sent = caller.send()
    expected = SAID[sqlstate, text]
    assert sent.code == ("ok" if expected else "storage_unavailable")
    assert not expected or sent.id[0] == expected
