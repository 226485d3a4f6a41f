"""How often the server looks at its connections: once a request, and never for nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import pairwise

import pytest
from flask import Flask

from otp_service.server import poller
from otp_service.server.connection import Channel
from otp_service.server.poller import WRITE, Epoll, Event, Poll, Poller
from tests.conftest import LiveServer, Serve

CONNECTIONS = 64
REQUESTS = 10  # of each


@dataclass
class Counts:
    turns: int = 0
    events: int = 0
    idle_writes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, **counts: int) -> None:
        with self.lock:
            for name, count in counts.items():
                setattr(self, name, getattr(self, name) + count)


@pytest.fixture(params=[Epoll, Poll])
def counts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Counts:
    """Of the servers that are made from here on."""
    counted = Counts()
    kind: Callable[[], Poller] = request.param

    class Counting(kind):  # type: ignore[misc, valid-type]
        def wait(self, *, block: bool) -> list[Event]:
            events: list[Event] = super().wait(block=block)
            counted.add(turns=1, events=len(events))
            return events

    take = Channel.take

    def counting(channel: Channel, events: int) -> bool:
        to_send = channel.total_outbufs_len
        has_request = take(channel, events)
        wrote_nothing = bool(events & WRITE) and channel.total_outbufs_len == to_send
        counted.add(idle_writes=int(wrote_nothing))
        return has_request

    monkeypatch.setattr(poller, "make", Counting)
    monkeypatch.setattr(Channel, "take", counting)
    return counted


def ask(server: LiveServer, path: str, may_begin: threading.Barrier) -> None:
    connection = HTTPConnection(server.url.removeprefix("http://"), timeout=20)
    may_begin.wait()
    for _ in range(REQUESTS):
        connection.request("GET", path)
        assert connection.getresponse().read()
    connection.close()


def crowd(server: LiveServer, path: str) -> None:
    """64 connections that are kept, each with one request after the other."""
    barrier = threading.Barrier(CONNECTIONS)
    threads = [
        threading.Thread(target=ask, args=[server, path, barrier]) for _ in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture
def busy() -> Flask:
    """An application whose answers are computed, awaited, small and large."""
    app = Flask(__name__)
    wait = threading.Event().wait
    app.add_url_rule("/at-once", "at once", lambda: "here")
    app.add_url_rule("/waits", "waits", lambda: str(wait(0.002)))
    app.add_url_rule("/large", "large", lambda: b"a" * 1_000_000)
    return app


@pytest.mark.parametrize("path", ["/at-once", "/waits", "/large"])
def test_a_crowd_costs_about_a_turn_a_request_and_no_idle_write(
    counts: Counts, busy: Flask, serve: Serve, path: str
) -> None:
    server = serve(busy)
    crowd(server, path)
    asked = CONNECTIONS * REQUESTS
    assert counts.events >= asked
    assert counts.turns <= 1.5 * asked + (counts.events - asked)
    assert counts.idle_writes == 0


def test_who_says_nothing_costs_nothing(counts: Counts, busy: Flask, serve: Serve) -> None:
    server = serve(busy)
    connection = HTTPConnection(server.url.removeprefix("http://"), timeout=20)
    connection.request("GET", "/at-once")
    connection.getresponse().read()
    threading.Event().wait(1.2)  # the main thread has looked after those who take too long
    assert counts.turns <= 16 + 6  # each thread looks once before it sleeps
    connection.close()


def test_who_asks_alone_is_answered_by_one_thread(serve: Serve) -> None:
    """Which wakes no other, unless it waits for somebody."""
    app = Flask(__name__)
    app.add_url_rule("/", "name", lambda: threading.current_thread().name)
    connection = HTTPConnection(serve(app).url.removeprefix("http://"), timeout=20)
    names = []
    for _ in range(20):
        connection.request("GET", "/")
        names.append(connection.getresponse().read())
    connection.close()
    assert sum(before != after for before, after in pairwise(names)) <= 2
