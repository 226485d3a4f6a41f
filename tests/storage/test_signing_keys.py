"""The keys that sign proofs: made once, stored encrypted, replaced without a gap."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization

from otp_service.domain.codes import Secret
from otp_service.domain.errors import StorageUnavailable
from otp_service.proofs import keys as signing
from otp_service.proofs.keys import SECONDS_AHEAD, SECONDS_BEHIND, utc_now
from otp_service.storage import schema, signing_keys
from otp_service.storage.db.database import Database
from otp_service.storage.models.keys import SigningKeyRow
from otp_service.storage.signing_keys import SigningKeys
from tests.storage.signing import (
    A_PROCESS,
    AWAY,
    NEW,
    OLD,
    ROOT,
    actions,
    database_at,
    pass_time,
    published,
    signs,
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the keys at each look."""
    monkeypatch.setattr(signing_keys, "SECONDS_TRUSTED", 0)


@pytest.fixture
def database(engine: sa.Engine) -> Database:
    return Database(engine)


def test_the_first_key_is_made_when_it_is_needed_and_signs_at_once(database: Database) -> None:
    keys = SigningKeys([OLD], database)
    (key,) = keys.now()
    assert signs(keys) == key.kid
    assert published(keys) == [key.kid]
    assert signs(SigningKeys([OLD], database)) == key.kid
    assert actions(database.engine) == [("service", "signing_key.created")]


def test_a_private_key_is_stored_encrypted_with_the_newest_secret(database: Database) -> None:
    (key,) = SigningKeys([NEW, OLD], database).now()
    with database.engine.connect() as connection:
        (row,) = connection.execute(sa.select(*SigningKeyRow.__table__.c)).all()
    assert row.secret_id == NEW.id
    assert "-----BEGIN ENCRYPTED PRIVATE KEY-----" in row.private_key
    pem = row.private_key.encode()
    for passphrase in (None, b"", b"guess", OLD.key, NEW.key, NEW.key.hex().encode()):
        with pytest.raises((TypeError, ValueError)):
            serialization.load_pem_private_key(pem, passphrase)
    with pytest.raises(ValueError):
        signing.unseal(row.private_key, OLD)
    assert key.private
    assert (
        signing.unseal(row.private_key, NEW).private_bytes_raw() == key.private.private_bytes_raw()
    )
    assert "private" not in repr(key)


def test_threads_that_need_the_first_key_at_once_make_one(database: Database) -> None:
    """Each with keys of its own, as processes have."""
    barrier = Barrier(8)

    def first(_: int) -> str | None:
        keys = SigningKeys([OLD], Database(database.engine))
        barrier.wait()
        return signs(keys)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(first, range(8)))) == 1
    assert len(signing_keys.everything(database.engine, [OLD])) == 1
    assert actions(database.engine) == [("service", "signing_key.created")]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_processes_that_need_the_first_key_at_once_make_one(
    engine: sa.Engine, database_url: str
) -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", A_PROCESS, database_url]
    started = [
        subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) for _ in range(3)
    ]
    for process in started:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    told = [process.communicate("now\n", timeout=60)[0] for process in started]
    (key,) = signing_keys.everything(engine, [OLD])
    assert told == [f"{key.kid}\n"] * 3


def test_a_new_key_is_published_at_once_and_signs_ten_minutes_later(database: Database) -> None:
    keys, engine = SigningKeys([OLD], database), database.engine
    first = signs(keys)
    second = signing_keys.rotate(engine, [OLD]).kid
    assert published(keys) == [first, second]
    assert signs(keys) == first
    pass_time(engine, SECONDS_AHEAD - 5)
    assert signs(keys) == first
    pass_time(engine, 5)
    assert signs(keys) == second


def test_where_the_clock_is_behind_the_databases_the_first_key_signs_too(
    database: Database,
) -> None:
    keys = SigningKeys([OLD], database)
    first = signs(keys)
    pass_time(database.engine, -5)
    assert signs(keys) == first
    assert len(keys.now()) == 1


def test_a_replaced_key_is_published_until_its_last_proof_has_ended(database: Database) -> None:
    keys, engine = SigningKeys([OLD], database), database.engine
    first = signs(keys)
    second = signing_keys.rotate(engine, [OLD]).kid
    pass_time(engine, SECONDS_AHEAD + SECONDS_BEHIND - 5)
    assert published(keys) == [first, second]
    pass_time(engine, 5)
    assert published(keys) == [second]


def test_a_key_that_waits_does_not_end_the_one_that_signs(database: Database) -> None:
    keys, engine = SigningKeys([OLD], database), database.engine
    first = signs(keys)
    pass_time(engine, 10 * SECONDS_BEHIND)
    second = signing_keys.rotate(engine, [OLD]).kid
    assert published(keys) == [first, second]
    third = signing_keys.rotate(engine, [OLD]).kid
    assert published(keys) == [first, second, third]
    assert signs(keys) == first


def test_a_revoked_key_is_not_published_and_the_next_one_signs_at_once(database: Database) -> None:
    keys, engine = SigningKeys([OLD], database), database.engine
    first = str(signs(keys))
    second = signing_keys.rotate(engine, [OLD]).kid
    assert signing_keys.revoke(engine, first)
    assert published(keys) == [second]
    assert signs(keys) == second


def test_the_next_key_comes_before_the_one_that_was_replaced(database: Database) -> None:
    keys, engine = SigningKeys([OLD], database), database.engine
    first = signs(keys)
    second = signing_keys.rotate(engine, [OLD]).kid
    pass_time(engine, SECONDS_AHEAD)
    third = signing_keys.rotate(engine, [OLD]).kid
    assert signs(keys) == second
    assert signing_keys.revoke(engine, second)
    assert signs(keys) == third
    assert published(keys) == [first, third]
    assert signing_keys.revoke(engine, third)
    assert signs(keys) == first


def test_a_key_that_waits_goes_on_waiting_when_another_is_revoked(database: Database) -> None:
    keys, engine = SigningKeys([OLD], database), database.engine
    first = str(signs(keys))
    second = signing_keys.rotate(engine, [OLD]).kid
    pass_time(engine, SECONDS_AHEAD)
    third = signing_keys.rotate(engine, [OLD]).kid
    assert signing_keys.revoke(engine, first)
    assert signs(keys) == second
    assert signing_keys.revoke(engine, signing_keys.rotate(engine, [OLD]).kid)
    assert signs(keys) == second
    assert published(keys) == [second, third]


def test_after_the_only_key_is_revoked_a_new_one_signs_at_once(database: Database) -> None:
    keys, engine = SigningKeys([OLD], database), database.engine
    first = str(signs(keys))
    assert signing_keys.revoke(engine, first)
    assert signs(keys) not in (None, first)
    assert published(keys) == [signs(keys)]
    assert not signing_keys.revoke(engine, "unknown")


def test_a_key_that_has_ended_does_not_come_back_when_others_are_revoked(
    database: Database,
) -> None:
    keys, engine = SigningKeys([OLD], database), database.engine
    first = signs(keys)
    second = signing_keys.rotate(engine, [OLD]).kid
    pass_time(engine, SECONDS_AHEAD + SECONDS_BEHIND)
    assert signs(keys) == second
    assert signing_keys.revoke(engine, second)
    assert signs(keys) not in (None, first, second)
    assert published(keys) == [signs(keys)]


def test_a_secret_that_is_replaced_in_order_hands_over_without_a_gap(database: Database) -> None:
    engine = database.engine
    first = signs(SigningKeys([OLD], database))
    during = SigningKeys([NEW, OLD], database)
    assert signs(during) == first
    (_, second) = published(during)
    assert published(during) == [first, second]  # and none is made at each look
    pass_time(engine, SECONDS_AHEAD)
    assert signs(during) == second
    after = SigningKeys([NEW], database)
    assert signs(after) == second
    assert published(after) == [first, second]
    pass_time(engine, SECONDS_BEHIND)
    assert published(after) == [second]


def test_a_secret_that_is_gone_at_once_leaves_its_public_key_for_a_while(
    database: Database,
) -> None:
    first = signs(SigningKeys([OLD], database))
    keys = SigningKeys([NEW], database)
    second = signs(keys)
    assert second not in (None, first)
    assert published(keys) == [first, second]
    pass_time(database.engine, SECONDS_BEHIND)
    assert published(keys) == [second]


def test_processes_with_different_secrets_do_not_make_keys_without_end(database: Database) -> None:
    old, new = SigningKeys([OLD], database), SigningKeys([NEW], database)
    for _ in range(3):
        assert signs(old) != signs(new)
    assert len(old.now()) == 2


def test_a_key_that_cannot_be_opened_is_told_and_signs_nothing(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    kid = str(signs(SigningKeys([OLD], database)))
    with database.engine.begin() as connection:
        connection.execute(sa.update(SigningKeyRow).values(private_key="nonsense"))
    keys = SigningKeys([OLD], database)
    assert signs(keys) is None
    assert f"{kid} can't be opened" in caplog.text
    signing_keys.revoke(database.engine, kid)
    assert signs(keys) not in (None, kid)


def test_every_state_of_a_key_has_a_word(database: Database) -> None:
    engine = database.engine
    signing_keys.rotate(engine, [OLD])
    signing_keys.rotate(engine, [NEW])
    pass_time(engine, SECONDS_AHEAD)
    signing_keys.revoke(engine, signing_keys.rotate(engine, [OLD]).kid)
    signing_keys.rotate(engine, [NEW])

    def told(*secrets: Secret) -> list[str]:
        found = signing_keys.everything(engine, secrets)
        return [signing.state(key, found, utc_now()) for key in found]

    assert told(NEW, OLD) == ["replaced", "signs", "revoked", "next"]
    assert told(NEW) == ["its secret is gone", "signs", "revoked", "next"]
    pass_time(engine, SECONDS_BEHIND)
    assert told(NEW, OLD) == ["ended", "replaced", "revoked", "signs"]


@pytest.fixture
def fallback_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'fallback.db'}"
    with database_at(url) as fallback:
        schema.upgrade(fallback.engine)
    return url


def test_the_fallback_has_a_copy_for_who_starts_in_an_outage(
    database: Database, fallback_url: str
) -> None:
    with database_at(fallback_url) as fallback, database_at(AWAY) as away:
        there = SigningKeys([OLD], database, fallback)
        started = SigningKeys([OLD], away, fallback)
        assert signs(there) == signs(started)
        second = signing_keys.rotate(database.engine, [OLD]).kid
        assert published(there)[1] == second
        assert published(SigningKeys([OLD], away, fallback)) == published(there)
        assert published(started) == published(there)[:1]  # as of when it could look


def test_without_a_copy_nothing_is_made_in_the_fallback(fallback_url: str) -> None:
    with database_at(fallback_url) as fallback, database_at(AWAY) as away:
        assert SigningKeys([OLD], away, fallback).now() == []
        with pytest.raises(StorageUnavailable):
            SigningKeys([OLD], away).now()
