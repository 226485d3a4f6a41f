"""/ready may be a second old: however many ask, one looks, and none waits behind it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import sqlalchemy as sa
from flask import Flask

from otp_service.observability.timed_cache import TimedCache
from otp_service.storage.models.base import engines_of
from otp_service.web.openapi import document_of
from tests.conftest import Serve
from tests.faults.waiting import until

pytestmark = pytest.mark.statement(25)


class Parts:
    """What is looked at."""

    def __init__(self) -> None:
        self.looks = 0
        self.is_down = False
        self.answers = threading.Event()
        self.answers.set()

    def look(self) -> int:
        self.looks += 1
        self.answers.wait(60)
        return self.looks

    def recent(self, seconds: float = 60.0) -> TimedCache[int]:
        return TimedCache(self.look, lambda: self.is_down, seconds)


def test_sixty_four_at_once_look_once() -> None:
    parts = Parts()
    recent = parts.recent()
    with ThreadPoolExecutor(64) as pool:
        assert set(pool.map(lambda _: recent.now(), range(64))) == {1}
    assert parts.looks == 1


def test_after_its_time_somebody_looks_again() -> None:
    recent = Parts().recent(seconds=0)
    assert [recent.now(), recent.now()] == [1, 2]


def test_so_does_somebody_when_it_is_known_to_have_changed() -> None:
    parts = Parts()
    recent = parts.recent()
    assert [recent.now(), recent.now()] == [1, 1]
    parts.is_down = True
    assert [recent.now(), recent.now()] == [2, 2]


def test_while_one_looks_and_hangs_the_others_are_told_what_is_known() -> None:
    parts = Parts()
    recent = parts.recent(seconds=0)
    recent.now()
    parts.answers.clear()
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(recent.now)
        until(lambda: parts.looks == 2)
        assert [recent.now() for _ in range(10)] == [1] * 10
        parts.answers.set()
        assert hanging.result() == 2


def test_who_looks_in_vain_leaves_it_to_the_next() -> None:
    parts = Parts()
    failing = TimedCache(lambda: 1 // (parts.looks % 2 or parts.look() * 0), lambda: 0)
    with pytest.raises(ZeroDivisionError):
        failing.now()
    assert failing.now() == 1


def test_sixty_four_that_ask_for_ready_ask_the_database_once_a_second(
    app: Flask, serve: Serve
) -> None:
    asked: list[str] = []
    (engine,) = engines_of(app)
    sa.event.listen(engine, "checkout", lambda *_: asked.append("connection"))
    url = f"{serve(app).url}/ready"
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: requests.get(url, timeout=20), range(64)))
    assert {answer.status_code for answer in answers} == {200}
    seconds = sum((answer.elapsed.total_seconds() for answer in answers), 0.0)
    assert 1 <= len(asked) <= 1 + seconds


def test_the_description_is_written_once(app: Flask) -> None:
    client = app.test_client()
    first, second = (client.get("/openapi.json") for _ in range(2))
    assert first.mimetype == "application/json"
    assert first.data == second.data
    assert first.get_json() == document_of(app).make()
