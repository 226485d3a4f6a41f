"""Keys in memory: one thread reads for all that wait, and is refused for all."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import StorageUnavailable
from otp_service.storage import api_keys, cached_rows
from otp_service.storage.api_keys import KeyRing
from otp_service.storage.db.database import Database
from tests.faults.waiting import until
from tests.statements import transactions

WAITING = 8


def test_who_waits_while_the_database_refuses_is_refused_without_another_look(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a crowd asks one after the other, and the last one waits for the refusals of all."""
    key = api_keys.create(engine, "shop")
    ring, go_on = KeyRing(Database(engine)), threading.Event()
    looks: list[str] = []
    waits: list[int] = []

    def wait() -> AbstractContextManager[None]:
        waits.append(1)
        return nullcontext()

    assert key
    assert ring.find(key)
    monkeypatch.setattr(api_keys, "SECONDS_TRUSTED", 0)
    monkeypatch.setattr(cached_rows, "let_go", wait)

    def refuse(name: str) -> None:
        looks.append(name)
        go_on.wait(60)
        raise StorageUnavailable("read-only")

    transactions(monkeypatch, engine, refuse)

    def find(_: int) -> str:
        with pytest.raises(StorageUnavailable) as refused:
            ring.find(key)
        return refused.value.code

    with ThreadPoolExecutor(WAITING) as pool:
        found = pool.map(find, range(WAITING))
        until(lambda: len(waits) == WAITING - 1)
        go_on.set()
        assert set(found) == {"storage_unavailable"}
    assert len(looks) == 1
    assert find(0) == "storage_unavailable"  # who comes later looks
    assert len(looks) == 2
