"""Who is served first, where more ask than there are threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import requests
from flask import Flask

from otp_service.server import poller
from otp_service.server.workers import Workers
from otp_service.web.dependencies import dependencies_of
from tests.conftest import LiveServer, MakeApp, Serve, new_key
from tests.faults.waiting import until

pytestmark = pytest.mark.statement(25)
PHONE = {"phone_number": "+919876543210"}
CHECK = PHONE | {"otp": "123456"}


@dataclass
class Channel:
    """A connection with a request on it; it takes until it may end."""

    is_of_client: bool
    is_send: bool = False
    may_end: threading.Event = field(default_factory=threading.Event)
    began: threading.Event = field(default_factory=threading.Event)

    def service(self) -> bool:
        self.began.set()
        self.may_end.wait(60)
        return False

    def cancel(self) -> None:
        self.may_end.set()


def made(threads: int) -> Workers:
    """Without connections of their own: they are given some."""
    return Workers(threads, poller.make(), lambda event: None)


@pytest.fixture
def sixteen() -> Workers:
    return made(16)


def strangers(workers: Workers, count: int) -> list[Channel]:
    channels = [Channel(is_of_client=False) for _ in range(count)]
    for channel in channels:
        workers.add_task(channel)
    return channels


def served(channels: list[Channel]) -> int:
    return sum(channel.began.is_set() for channel in channels)


def test_strangers_never_have_more_than_an_eighth_of_the_threads(sixteen: Workers) -> None:
    crowd = strangers(sixteen, 64)
    clients = [Channel(is_of_client=True) for _ in range(14)]
    for client in clients:
        sixteen.add_task(client)
    until(lambda: served(clients) == 14)
    until(lambda: served(crowd) == 2)  # the two threads that are left
    for channel in [*crowd, *clients]:
        channel.may_end.set()
    until(lambda: served(crowd) == 64)
    sixteen.shutdown()


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_a_stranger_has_a_turn_however_many_clients_there_are(threads: int) -> None:
    workers = made(threads)
    clients = [Channel(is_of_client=True) for _ in range(50)]
    for client in clients:
        workers.add_task(client)
    until(lambda: served(clients) == threads)
    (stranger,) = strangers(workers, 1)
    clients[0].may_end.set()
    until(stranger.began.is_set)
    for channel in [*clients, stranger]:
        channel.may_end.set()
    until(lambda: served(clients) == 50)
    workers.shutdown()


def test_what_waits_at_the_end_is_given_up(sixteen: Workers) -> None:
    crowd = strangers(sixteen, 20)
    until(lambda: served(crowd) == 2)
    for channel in crowd[:2]:
        threading.Timer(0.2, channel.may_end.set).start()
    sixteen.shutdown()
    assert all(channel.may_end.is_set() for channel in crowd)


class Held:
    """A page of this application's that answers only when it may."""

    def __init__(self, app: Flask) -> None:
        self._may_end, self._begun = threading.Event(), threading.Semaphore(0)
        app.add_url_rule("/held", view_func=self._answer)

    def _answer(self) -> str:
        self._begun.release()
        return str(self._may_end.wait(60))

    @contextmanager
    def by_a_crowd(self, server: LiveServer) -> Iterator[None]:
        """While 64 ask for it, as many of them let in as a crowd may have threads."""
        url = f"{server.url}/held"
        crowd = [threading.Thread(target=requests.get, args=[url]) for _ in range(64)]
        for thread in crowd:
            thread.start()
        try:
            for _ in range(2):  # of 16
                assert self._begun.acquire(timeout=20)
            yield
        finally:
            self._may_end.set()
            for thread in crowd:
                thread.join()


def test_a_crowd_without_a_key_waits_and_a_known_client_does_not(
    make_app: MakeApp, serve: Serve
) -> None:
    app = make_app(API_KEYS="required")
    key = new_key(app, "shop", "otp")
    held, server = Held(app), serve(app)
    headers = {"Authorization": f"Bearer {key}"}
    first = requests.post(f"{server.url}/verify-otp", json=CHECK, headers=headers, timeout=20)
    other_way = {"X-API-Key": key}
    with held.by_a_crowd(server):
        second = requests.post(
            f"{server.url}/verify-otp", json=CHECK, headers=other_way, timeout=20
        )
    assert first.json()["error"]["code"] == second.json()["error"]["code"] == "otp_not_found"


def test_where_there_are_no_keys_calls_come_before_pages(app: Flask, serve: Serve) -> None:
    held, server = Held(app), serve(app)
    with held.by_a_crowd(server):
        answer = requests.post(f"{server.url}/verify-otp", json=CHECK, timeout=20)
    assert answer.json()["error"]["code"] == "otp_not_found"


def test_only_a_key_that_was_let_in_is_known(make_app: MakeApp) -> None:
    app = make_app(API_KEYS="required")
    key = new_key(app, "shop", "otp")
    known, client = dependencies_of(app).clients.is_of_client, app.test_client()
    right, wrong = ({"Authorization": f"bearer {each}"} for each in (key, "otp_" + "a" * 43))
    for headers in (right, wrong):
        assert not known("/verify-otp", headers)
        client.post("/verify-otp", json=CHECK, headers=headers)
    assert known("/anything", right)
    assert known("/verify-otp", {"X-API-Key": key})
    assert not known("/verify-otp", wrong)
    assert not known("/verify-otp", {})
