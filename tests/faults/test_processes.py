"""Processes that crash, restart and share: no code is lost, and none is accepted twice."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import pytest
import requests
import time_machine

from tests.conftest import SECRET, MakeApp
from tests.delivery import misbehaving
from tests.delivery.misbehaving import code_in
from tests.faults.cluster import Cluster
from tests.faults.loopback import LOOPBACK
from tests.faults.processes import Server, Servers, account, at_once
from tests.faults.proxy import Proxy
from tests.faults.service import Answer, Caller
from tests.faults.waiting import until
from tests.storage.helpers import wrong

OTHER_SECRET = bytes(range(0xA7, 0xC7)).hex()
ACCEPT = misbehaving.say(misbehaving.http())
PHONES = [f"+91987654321{digit}" for digit in range(5)]  # the first is who asks by default
THREADS = 12
in_both_homes = pytest.mark.parametrize("home", ["p", "s"])


@pytest.fixture
def servers(make_app: MakeApp, urls: dict[str, str]) -> Iterator[Servers]:
    """One Postgres behind the proxy, and one fallback for all of them, which has no file yet."""
    make_app(**urls | {"FALLBACK_DATABASE_URL": "off"})
    with Servers(OTP_SECRET=SECRET, **urls) as servers:
        yield servers


def has_postgres(caller: Caller) -> bool:
    return str(caller.ready().data["database"]) == "ok"


def test_two_servers_share_an_outage_and_its_end(servers: Servers, proxy: Proxy) -> None:
    one, other = pair = servers.start_several(2)
    proxy.refuse()
    sent = one.send()
    assert sent.id[0] == "s"
    assert other.send().code == "otp_already_sent"
    answers = at_once(100, lambda n: pair[n % 2].verify(sent.otp))
    assert answers == {"ok": 1, "otp_not_found": 99}
    elsewhere = other.send(PHONES[1])
    assert one.verify(elsewhere.otp, PHONES[1]).code == "ok"
    proxy.heal()
    for number, server in enumerate(pair):
        until(lambda: has_postgres(server))  # noqa: B023 (called at once)
        assert server.send(PHONES[number]).id[0] == "p"


def issue_and_crash(servers: Servers) -> dict[str, Answer]:
    """Codes for some phones, of which the first has spent an attempt."""
    server = servers.start()
    sent = {phone: server.send(phone) for phone in PHONES}
    assert server.verify(wrong(sent[PHONES[0]].otp)).code == "invalid_otp"
    server.kill()
    return sent


def assert_each_works_once(server: Server, sent: dict[str, Answer]) -> None:
    assert server.send(PHONES[0]).code == "otp_already_sent"
    assert server.get(sent[PHONES[0]].id).data["attempts_remaining"] == 4
    for phone, answer in sent.items():
        assert server.verify(answer.otp, phone).code == "ok"
        assert server.verify(answer.otp, phone).code == "otp_not_found"


def test_codes_outlive_a_crash_of_their_server(servers: Servers) -> None:
    sent = issue_and_crash(servers)
    assert {answer.id[0] for answer in sent.values()} == {"p"}
    assert_each_works_once(servers.start(), sent)


def test_an_outage_hinders_neither_the_first_start_nor_one_after_a_crash(
    servers: Servers, proxy: Proxy
) -> None:
    proxy.refuse()
    sent = issue_and_crash(servers)
    assert {answer.id[0] for answer in sent.values()} == {"s"}
    server = servers.start()
    assert_each_works_once(server, sent)
    proxy.heal()
    until(lambda: has_postgres(server))
    assert server.send().id[0] == "p"


def test_a_postgres_that_comes_after_the_service_gets_its_schema(
    urls: dict[str, str], proxy: Proxy
) -> None:
    proxy.refuse()
    with Servers(OTP_SECRET=SECRET, **urls) as servers:
        server = servers.start()
        assert server.send().id[0] == "s"
        proxy.heal()
        until(lambda: has_postgres(server))
        assert server.send(PHONES[1]).id[0] == "p"


def test_api_keys_hold_after_a_restart_in_an_outage(
    servers: Servers, proxy: Proxy, make_app: MakeApp, urls: dict[str, str]
) -> None:
    app = make_app(**urls, API_KEYS="required")
    create = ["otp", "keys", "create", "shop"]
    headers = {"X-API-Key": app.test_cli_runner().invoke(args=create).stdout.split()[0]}
    assert app.test_client().get("/verifications/none", headers=headers).status_code == 404
    proxy.refuse()  # and that one has read the keys while it could
    server = servers.start(API_KEYS="required")
    assert server.send().code == "unauthorized"
    server.headers.update(headers)
    sent = server.send()
    assert (sent.code, sent.id[0]) == ("ok", "s")
    assert server.verify(sent.otp).code == "ok"


@in_both_homes
def test_a_secret_is_replaced_without_a_loss_and_retired_with_its_codes(
    make_app: MakeApp, urls: dict[str, str], proxy: Proxy, home: str
) -> None:
    """Applications, which are made from the environment as a restarted process makes its own."""
    secrets = (SECRET, f"{OTHER_SECRET},{SECRET}", OTHER_SECRET)
    before, during, after = (Caller(make_app(**urls, OTP_SECRET=each)) for each in secrets)
    if home == "s":
        proxy.refuse()
    sent = {phone: before.send(phone) for phone in PHONES[:2]}
    assert {answer.id[0] for answer in sent.values()} == {home}
    assert during.verify(sent[PHONES[0]].otp).code == "ok"
    new = during.send(PHONES[2])
    assert after.verify(sent[PHONES[1]].otp, PHONES[1]).code == "invalid_otp"
    assert after.verify(new.otp, PHONES[2]).code == "ok"
    resent = after.resend(PHONES[1])
    assert resent.id == sent[PHONES[1]].id
    assert after.verify(resent.otp, PHONES[1]).code == "ok"


@contextmanager
def in_vain(call: Callable[[], Answer]) -> Iterator[None]:
    """Meanwhile somebody asks for this, and whoever should answer is killed."""
    answers: list[Answer] = []

    def ask() -> None:
        with suppress(requests.ConnectionError):
            answers.append(call())

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    yield
    asking.join()
    assert not answers


def test_after_a_crash_before_the_message_was_sent_one_can_ask_again_at_once(
    servers: Servers,
) -> None:
    with socket.create_server((LOOPBACK, 0)) as provider:  # it will read nothing
        server = servers.start(**account(f"http://{LOOPBACK}:{provider.getsockname()[1]}/"))
        with in_vain(server.send):
            connection, _ = provider.accept()
            server.kill()
        connection.close()
    with misbehaving.serve(ACCEPT) as gupshup:
        server = servers.start(**account(gupshup.url))
        stored = server.send()
        assert stored.code == "otp_already_sent"
        assert server.resend().id == stored.id
    assert server.verify(code_in(gupshup.requests[0])).code == "ok"


def test_a_crash_between_sending_and_recording_it_does_not_void_the_code(servers: Servers) -> None:
    with misbehaving.serve(misbehaving.stall) as gupshup:
        settings = account(gupshup.url)
        server = servers.start(**settings)
        with in_vain(server.send):
            until(lambda: len(gupshup.requests) == 1)
            server.kill()
    server = servers.start(**settings)
    assert server.verify(code_in(gupshup.requests[0])).code == "ok"


@dataclass(frozen=True)
class Story:
    """One phone: its code was sent, and checked once."""

    phone: str
    sent: Answer
    checked: Answer

    @classmethod
    def happens(cls, server: Server, number: int) -> Story:
        phone = f"+9198765{number:05}"
        sent = server.send(phone)
        assert sent.code == "ok"
        more = {"verification_id": sent.id} if number % 2 else {}
        return cls(phone, sent, server.verify(sent.otp, phone, **more))

    def check(self, server: Server) -> str:
        return server.verify(self.sent.otp, self.phone, verification_id=self.sent.id).code

    def ends_well(self, server: Server) -> None:
        """The right code of a live verification was not refused, and is accepted once in all."""
        if self.checked.code != "ok":
            assert (self.checked.status, self.checked.code) == (503, "storage_unavailable")
            assert int(self.checked.headers["Retry-After"]) > 0
            self.check(server)  # "not found" if the one before was done and its answer lost
            assert server.get(self.sent.id).data["status"] == "verified"
        assert self.check(server) == "otp_not_found"


@contextmanager
def stories(server: Server) -> Iterator[list[Story]]:
    """They happen all the time, in several threads, until the end of this block."""
    happened: list[Story] = []
    over = threading.Event()
    numbers = itertools.count()

    def live() -> None:
        while not over.is_set():
            happened.append(Story.happens(server, next(numbers)))

    with ThreadPoolExecutor(THREADS) as pool:
        lives = [pool.submit(live) for _ in range(THREADS)]
        try:
            yield happened
        finally:
            over.set()
    for each in lives:
        each.result()


def test_when_postgres_crashes_under_load_no_answer_is_a_lie(
    servers: Servers, cluster: Cluster
) -> None:
    server = servers.start()
    with stories(server) as happened:
        until(lambda: len(happened) > 40)
        cluster.stop("immediate")
        until(lambda: happened[-1].sent.id[0] == "s")
        cluster.start()
        until(lambda: happened[-1].sent.id[0] == "p")
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda story: story.ends_well(server), happened))
    checked = "SELECT verification_id FROM otp_service.audit WHERE action = 'verification.checked'"
    twice = f"{checked} GROUP BY verification_id HAVING count(*) > 1"
    assert cluster.sql(twice) == []


@pytest.mark.usefixtures("patient")
def test_a_process_whose_clock_is_an_hour_off_is_like_any_other(
    make_app: MakeApp, urls: dict[str, str]
) -> None:
    caller = Caller(make_app(**urls))
    now = datetime.now(timezone.utc)
    hour = timedelta(hours=1)
    with time_machine.travel(now + hour):
        sent = {phone: caller.send(phone) for phone in PHONES[:2]}
        assert caller.send().code == "otp_already_sent"
    for answer in sent.values():
        expires = datetime.fromisoformat(answer.data["expires_at"].replace("Z", "+00:00"))
        assert 0 <= (expires - now).total_seconds() - 180 < 30
    with time_machine.travel(now - hour):
        assert caller.verify(sent[PHONES[0]].otp).code == "ok"
    caller.pass_time(181)
    with time_machine.travel(now - hour):
        assert caller.verify(sent[PHONES[1]].otp, PHONES[1]).code == "otp_not_found"
        assert caller.send(PHONES[1]).code == "ok"
