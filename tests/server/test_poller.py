"""Who is told of a connection, and how often."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from otp_service.server.poller import READ, WRITE, Epoll, Poll, Poller
from tests.faults.waiting import until


@pytest.fixture(params=[Epoll, Poll])
def poller(request: pytest.FixtureRequest) -> Iterator[Poller]:
    made = request.param()
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


Pair = tuple[socket.socket, socket.socket]


def told(poller: Poller, connection: socket.socket) -> list[int]:
    """What is told of it now, at once."""
    return [events for fd, events in poller.wait(block=False) if fd == connection.fileno()]


def test_a_connection_is_told_of_once_until_it_is_armed_again(poller: Poller, pair: Pair) -> None:
    ours, theirs = pair
    poller.watch(ours.fileno(), READ)
    assert told(poller, ours) == []
    theirs.send(b"some")
    assert told(poller, ours) == [READ]
    theirs.send(b" more")
    assert told(poller, ours) == []
    poller.arm(ours.fileno(), READ)
    assert told(poller, ours) == [READ]
    poller.arm(ours.fileno(), WRITE)
    assert told(poller, ours) == [WRITE]


def test_what_is_forgotten_is_told_of_no_more(poller: Poller, pair: Pair) -> None:
    ours, theirs = pair
    poller.watch(ours.fileno(), READ)
    poller.forget(ours.fileno())
    theirs.send(b"some")
    assert told(poller, ours) == []


def test_who_waits_hears_of_what_is_armed_meanwhile(poller: Poller, pair: Pair) -> None:
    ours, theirs = pair
    heard: list[int] = []

    def wait() -> None:
        while not heard:
            heard.extend(fd for fd, _ in poller.wait(block=True) if fd == ours.fileno())

    waiting = threading.Thread(target=wait)
    waiting.start()
    theirs.send(b"some")
    poller.watch(ours.fileno(), READ)
    until(lambda: bool(heard))
    waiting.join()


def test_a_ring_ends_a_wait_once_whenever_it_began(poller: Poller) -> None:
    poller.ring()
    poller.wait(block=True)
    waiting = threading.Thread(target=lambda: poller.wait(block=True))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    poller.ring()
    waiting.join(20)
    assert not waiting.is_alive()
