"""API keys: random, stored hashed, known in an outage, and when each was last used."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import StorageUnavailable
from otp_service.proofs.keys import utc_now
from otp_service.storage import api_keys, schema
from otp_service.storage.api_keys import KeyRing
from otp_service.storage.copied_rows import put_copy
from otp_service.storage.db import engine as engines
from otp_service.storage.db.database import Database
from otp_service.storage.models.keys import ApiKeyRow
from tests.faults.waiting import until
from tests.statements import transactions

AWAY = "postgresql+psycopg2://otp@127.0.0.1:1/otp"


@pytest.fixture
def ring(engine: sa.Engine) -> KeyRing:
    return KeyRing(Database(engine))


@pytest.fixture
def fallback(tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'fallback.db'}"
    engine = sa.create_engine(url, **engines.options(url, 1))
    engines.prepare(engine)
    schema.upgrade(engine)
    yield Database(engine)
    engine.dispose()


@pytest.fixture
def away() -> Database:
    engine = sa.create_engine(AWAY, **engines.options(AWAY, 1))
    engines.prepare(engine)
    return Database(engine)


def make(engine: sa.Engine, name: str = "shop") -> str:
    made = api_keys.create(engine, name, ["otp"])
    assert made
    return made


def last_used(engine: sa.Engine, name: str = "shop") -> object:
    (row,) = [row for row in api_keys.everything(engine) if row.name == name]
    return row.last_used_at


def notes_are_done() -> bool:
    return not [each for each in threading.enumerate() if each.name == api_keys.NOTING]


@pytest.mark.statement(15)
def test_every_key_has_256_random_bits_of_its_own(engine: sa.Engine) -> None:
    made = [make(engine, name) for name in ("one", "two", "three")]
    assert len(set(made)) == 3
    assert {len(base64.urlsafe_b64decode(f"{key.removeprefix('otp_')}=")) for key in made} == {32}


@pytest.mark.statement(15)
def test_no_byte_of_the_database_tells_a_key(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'otp.db'}"
    engine = sa.create_engine(url, **engines.options(url, 1))
    engines.prepare(engine)
    schema.upgrade(engine)
    key = make(engine)
    ring = KeyRing(Database(engine))
    assert ring.find(key) == ("shop", frozenset(["otp"]))
    until(notes_are_done)
    engine.dispose()
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    stored = b"".join(files.values())
    assert api_keys.digest(key).encode() in stored
    random = key.removeprefix("otp_")
    raw = base64.urlsafe_b64decode(f"{random}=")
    assert [part for part in (random.encode(), raw, raw.hex().encode()) if part in stored] == []


def test_a_new_key_is_taken_at_once_although_the_keys_were_read_before(
    engine: sa.Engine, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "SECONDS_TRUSTED", 3600)  # not for that reason, then
    assert ring.find("a wrong one") is None
    key = api_keys.create(engine, "new")
    assert key
    until(lambda: ring.find(key) is not None)


def test_a_key_was_never_used_before_it_is_and_then_just_now(
    engine: sa.Engine, ring: KeyRing
) -> None:
    key, other = make(engine), make(engine, "other")
    assert last_used(engine) is None
    assert ring.find(key)
    assert ring.find("wrong") is None
    until(lambda: last_used(engine) is not None)
    assert abs(last_used(engine) - utc_now()) < timedelta(seconds=60)  # type: ignore[operator]
    assert last_used(engine, "other") is None
    assert ring.find(other)
    until(lambda: last_used(engine, "other") is not None)


def test_a_use_is_noted_once_a_minute_however_often_the_key_is_used(
    engine: sa.Engine, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, ran = make(engine), transactions(monkeypatch, engine)

    def notes() -> int:
        until(notes_are_done)
        return [name for name, _ in ran].count("note_use")

    for _ in range(20):
        assert ring.find(key)
    assert notes() == 1
    monkeypatch.setattr(api_keys, "SECONDS_BETWEEN_NOTES", 0)
    assert ring.find(key)
    assert notes() == 2


def test_whoever_uses_a_key_waits_for_no_note(
    engine: sa.Engine, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, go_on = make(engine), threading.Event()
    transactions(monkeypatch, engine, lambda name: name == "note_use" and go_on.wait(60))
    assert ring.find(key)
    assert not notes_are_done()
    assert last_used(engine) is None
    go_on.set()
    until(lambda: last_used(engine) is not None)


def test_a_note_that_the_database_does_not_take_is_lost_without_a_word(
    engine: sa.Engine,
    ring: KeyRing,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = make(engine)

    def refuse(name: str) -> None:
        if name == "note_use":
            raise StorageUnavailable("no")

    transactions(monkeypatch, engine, refuse)
    assert ring.find(key)
    until(notes_are_done)
    assert last_used(engine) is None
    assert caplog.text == ""


def test_the_copy_in_the_fallback_is_made_again_for_another_key_and_not_for_a_use(
    engine: sa.Engine, fallback: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "SECONDS_TRUSTED", 0)
    monkeypatch.setattr(api_keys, "SECONDS_BETWEEN_NOTES", 0)
    copies: list[object] = []
    key = make(engine)
    ring = KeyRing(Database(engine), fallback)
    sa.event.listen(fallback.engine, "commit", copies.append)
    for _ in range(3):
        assert ring.find(key)
        until(lambda: last_used(engine) is not None and notes_are_done())
    assert len(copies) == 1
    other = make(engine, "other")
    assert ring.find(other)
    assert len(copies) == 2


@pytest.mark.statement(15)
def test_who_starts_in_an_outage_knows_the_copied_keys_and_notes_no_use(
    engine: sa.Engine, fallback: Database, away: Database, caplog: pytest.LogCaptureFixture
) -> None:
    key, ended = make(engine), make(engine, "ended")
    api_keys.revoke(engine, "ended")
    assert KeyRing(Database(engine), fallback).find(key)
    until(notes_are_done)
    caplog.clear()
    started = KeyRing(away, fallback)
    assert started.find(key) == ("shop", frozenset(["otp"]))
    assert (started.find(ended), started.find("guess")) == (None, None)
    assert last_used(fallback.engine) is None
    with pytest.raises(StorageUnavailable):
        KeyRing(away).find(key)


def test_a_revoked_key_stays_so_whatever_keys_its_client_gets(engine: sa.Engine) -> None:
    key = make(engine)
    assert api_keys.revoke(engine, "shop")
    assert not api_keys.revoke(engine, "unknown")
    assert not api_keys.revoke(engine, "shop", "00000000")
    ring = KeyRing(Database(engine))
    assert ring.find(key) is None
    later = make(engine)
    ring.cache.refresh()
    assert (ring.find(key), ring.find(later)) == (None, ("shop", frozenset(["otp"])))


def test_of_keys_that_are_made_at_once_a_client_gets_two(engine: sa.Engine) -> None:
    barrier = threading.Barrier(8)

    def create(_: int) -> str | None:
        barrier.wait()
        return api_keys.create(engine, "shop", ["otp"])

    with ThreadPoolExecutor(8) as pool:
        made = [key for key in pool.map(create, range(8)) if key]
    assert len(made) == len(api_keys.everything(engine)) == 2


def test_a_client_whose_name_was_made_by_looser_rules_can_replace_its_key(
    engine: sa.Engine,
) -> None:
    with engine.begin() as connection:
        old = {"name": "Bäcker & Sohn", "digest": "d", "scopes": "read", "created_at": utc_now()}
        connection.execute(sa.insert(ApiKeyRow).values(old))
    assert api_keys.create(engine, "Bäcker & Sohn")
    with pytest.raises(ValueError, match="letters, digits"):
        api_keys.create(engine, "Bäcker & Tochter")


@pytest.mark.statement(24)
def test_of_many_requests_at_once_none_goes_by_what_was_known_too_long_ago(
    engine: sa.Engine, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make(engine)
    assert ring.find(key)
    assert api_keys.revoke(engine, "shop")
    monkeypatch.setattr(api_keys, "SECONDS_TRUSTED", 0)
    transactions(monkeypatch, engine, lambda _: time.sleep(0.1))
    barrier = threading.Barrier(15)

    def find(_: int) -> object:
        barrier.wait()
        return ring.find(key)

    with ThreadPoolExecutor(15) as pool:
        assert set(pool.map(find, range(15))) == {None}


@pytest.mark.statement(24)
def test_while_the_database_refuses_no_key_is_good_for_longer_than_it_is_trusted(
    engine: sa.Engine, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make(engine)
    assert ring.find(key)

    def refuse(_: str) -> None:
        raise StorageUnavailable("no")

    transactions(monkeypatch, engine, refuse)
    assert ring.find(key)
    monkeypatch.setattr(api_keys, "SECONDS_TRUSTED", 0)
    with pytest.raises(StorageUnavailable):
        ring.find(key)


@pytest.mark.statement(24)
def test_a_copy_that_was_read_before_and_is_written_after_revives_no_key(
    engine: sa.Engine, fallback: Database, away: Database
) -> None:
    key, other = make(engine), make(engine, "other")
    read_before = api_keys.HOLDERS.run(engine)
    assert api_keys.revoke(engine, "shop")
    for rows in (api_keys.HOLDERS.run(engine), read_before):
        assert put_copy(fallback.engine, ApiKeyRow, rows)
    started = KeyRing(away, fallback)
    assert (started.find(key), started.find(other) is not None) == (None, True)
