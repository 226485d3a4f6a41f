"""`GET /verifications?phone_number=…` where there are two homes: all of them, or 503."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from otp_service.storage.models.base import engines_of
from tests.conftest import MakeApp
from tests.faults.proxy import Proxy
from tests.faults.service import PHONE, Answer, Caller
from tests.faults.waiting import until

PATH = f"/verifications?phone_number={quote(PHONE)}"
pytestmark = pytest.mark.usefixtures("patient")


def ids(answer: Answer) -> Sequence[str]:
    assert answer.status == 200
    return [each["verification_id"] for each in answer.data["verifications"]]


def test_those_of_both_homes_are_one_list_and_a_part_is_never_told_as_all(
    caller: Caller, proxy: Proxy
) -> None:
    before = caller.send(purpose="before").id
    proxy.refuse()
    during = caller.send(purpose="during").id
    away = caller.call("GET", PATH)
    assert (away.status, away.code) == (503, "storage_unavailable")
    assert int(away.headers["Retry-After"]) > 0
    assert caller.get(during).status == 200  # by its id it can be looked at
    proxy.heal()
    until(lambda: caller.call("GET", PATH).status == 200)
    after = caller.send(purpose="after").id
    assert [each[0] for each in (before, during, after)] == ["p", "s", "p"]
    assert ids(caller.call("GET", PATH)) == [after, during, before]
    assert ids(caller.call("GET", f"{PATH}&limit=2")) == [after, during]


def test_where_the_fallback_can_not_be_read_there_is_no_list(caller: Caller) -> None:
    caller.send()
    with engines_of(caller.app)[1].begin() as connection:
        connection.execute(sa.text("ALTER TABLE verifications RENAME TO lost"))
    assert caller.call("GET", PATH).code == "storage_unavailable"


def test_what_support_reads_in_a_home_is_in_the_trail_of_that_home(
    make_app: MakeApp, urls: dict[str, str], proxy: Proxy
) -> None:
    app = make_app(**urls, API_KEYS="required")
    run, client = app.test_cli_runner().invoke, app.test_client()
    desk = {"X-API-Key": run(args=["otp", "keys", "create", "desk", "--scope", "support"]).stdout}
    desk["X-API-Key"] = desk["X-API-Key"].strip()
    shop = {"X-API-Key": run(args=["otp", "keys", "create", "shop"]).stdout.strip()}
    body = {"phone_number": PHONE}
    assert client.get(PATH, headers=desk).status_code == 200
    proxy.refuse()
    assert client.post("/resend-otp", json=body, headers=shop).status_code == 200
    proxy.heal()
    until(lambda: client.get(PATH, headers=desk).status_code == 200)
    listed = sa.text("SELECT count(*) FROM audit WHERE action = 'verifications.listed'")
    with engines_of(app)[1].connect() as fallback:
        assert fallback.scalar(listed) == 1  # for the list that read something there
