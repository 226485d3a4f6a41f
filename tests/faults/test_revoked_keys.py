"""A revoked key is refused by every process: idle, in an outage, restarted in it, and after it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import jwt
import pytest
import requests
from flask import Flask

from tests.conftest import SECRET, MakeApp
from tests.faults.cluster import Cluster
from tests.faults.processes import Server, Servers, at_once
from tests.faults.proxy import Proxy
from tests.faults.service import PHONE, Answer
from tests.faults.waiting import until

pytestmark = pytest.mark.statement(24)
PROMISED = 3  # seconds after which a revoked key is refused
PATH = "/verifications/none"  # 404 for who may look


class Desk:
    """Who makes and revokes keys, by commands that know no fallback unless it is given."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def keys(self, *arguments: str) -> str:
        result = self.app.test_cli_runner().invoke(args=["otp", "keys", *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout.strip()


@pytest.fixture
def desk(make_app: MakeApp, urls: dict[str, str]) -> Desk:
    """On another machine."""
    return Desk(make_app(**urls | {"FALLBACK_DATABASE_URL": "off"}))


@pytest.fixture
def servers(desk: Desk, urls: dict[str, str]) -> Iterator[Servers]:
    with Servers(OTP_SECRET=SECRET, API_KEYS="required", OTP_PROOF="hashed", **urls) as servers:
        yield servers


def answers(server: Server, key: str, times: int = 15) -> Counter[str]:
    """To so many requests at once."""
    server.headers = {"X-API-Key": key}
    return at_once(times, lambda _: server.call("GET", PATH), threads=times)


def sends(server: Server, key: str) -> str:
    """The answer to a send, which needs no Postgres."""
    server.headers = {"X-API-Key": key}
    return server.resend().code


def has_postgres(server: Server) -> bool:
    return str(server.ready().data["database"]) == "ok"


def test_an_idle_process_refuses_a_revoked_key(servers: Servers, desk: Desk) -> None:
    key, other = desk.keys("create", "shop"), desk.keys("create", "other")
    started = servers.start_several(2)
    for server in started:
        until(lambda: answers(server, key, 1) == {"not_found": 1})  # noqa: B023 (called at once)
    desk.keys("revoke", "shop")
    time.sleep(PROMISED)
    for server in started:
        assert answers(server, key) == {"unauthorized": 15}
        assert answers(server, other, 1) == {"not_found": 1}


def test_what_is_revoked_before_an_outage_stays_so_in_it_and_after_a_restart(
    servers: Servers, desk: Desk, proxy: Proxy
) -> None:
    key, other = desk.keys("create", "shop"), desk.keys("create", "other")
    server = servers.start()
    until(lambda: answers(server, key, 1) == {"not_found": 1})
    desk.keys("revoke", "shop")
    time.sleep(PROMISED)
    proxy.refuse()
    assert answers(server, key) == {"unauthorized": 15}
    assert sends(server, other) == "ok"
    server.kill()
    server = servers.start()
    assert answers(server, key) == {"unauthorized": 15}
    assert sends(server, other) == "ok"


def test_what_is_revoked_while_no_server_runs_is_known_to_one_that_starts_in_an_outage(
    servers: Servers, proxy: Proxy, make_app: MakeApp, urls: dict[str, str]
) -> None:
    here = Desk(make_app(**urls))
    key, other = here.keys("create", "shop"), here.keys("create", "other")
    server = servers.start()
    until(lambda: answers(server, key, 1) == {"not_found": 1})
    server.stop()
    here.keys("revoke", "shop")
    proxy.refuse()
    server = servers.start()
    assert answers(server, key) == {"unauthorized": 15}
    assert sends(server, other) == "ok"


def test_what_is_revoked_in_an_outage_is_refused_when_postgres_is_back(
    servers: Servers, desk: Desk, proxy: Proxy, cluster: Cluster
) -> None:
    key = desk.keys("create", "shop")
    server = servers.start()
    until(lambda: answers(server, key, 1) == {"not_found": 1})
    proxy.refuse()
    until(lambda: sends(server, key) == "ok" and not has_postgres(server))
    cluster.sql("UPDATE otp_service.api_keys SET revoked_at = now()")
    proxy.heal()
    until(lambda: has_postgres(server))
    assert answers(server, key) == {"unauthorized": 15}


def test_an_idle_process_signs_and_publishes_nothing_with_a_revoked_signing_key(
    servers: Servers, desk: Desk, proxy: Proxy
) -> None:
    key = desk.keys("create", "shop")
    server = servers.start()
    until(lambda: answers(server, key, 1) == {"not_found": 1})
    (kid,) = published(server)
    desk.keys("signing", "revoke", kid)
    time.sleep(PROMISED)
    phones = [f"+9198765432{number:02}" for number in range(8)]
    codes = {phone: server.send(phone).otp for phone in phones}
    proofs: list[str] = []

    def verify(number: int) -> Answer:
        answer = server.verify(codes[phones[number]], phones[number])
        proofs.append(answer.data["proof"])
        return answer

    time.sleep(PROMISED)
    assert at_once(len(phones), verify, threads=8) == {"ok": len(phones)}
    (now,) = {jwt.get_unverified_header(proof)["kid"] for proof in proofs}
    assert now != kid
    assert published(server) == [now]
    proxy.refuse()
    server.kill()
    assert published(servers.start()) == [now]


def published(server: Server) -> list[str]:
    answer = requests.get(f"{server.url}/.well-known/jwks.json", timeout=30)
    return [key["kid"] for key in answer.json()["keys"]]


def test_a_command_keeps_the_copy_beside_the_database_it_changes(
    make_app: MakeApp, urls: dict[str, str], proxy: Proxy
) -> None:
    app = make_app(**urls, API_KEYS="required")
    here, client = Desk(app), app.test_client()
    keys = [here.keys("create", name) for name in ("shop", "shop", "desk")]
    here.keys("revoke", "desk")
    proxy.refuse()  # nobody has asked the service anything
    body = {"phone_number": PHONE}
    statuses = [
        client.post("/resend-otp", json=body, headers={"X-API-Key": key}).status_code
        for key in keys
    ]
    assert statuses == [200, 200, 401]
