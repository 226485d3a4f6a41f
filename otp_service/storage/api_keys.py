"""API keys: made once, stored hashed, known to each process within seconds."""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from otp_service.domain.errors import HomeUnreachable, StorageUnavailable
from otp_service.storage.access_models import ApiKeyRow
from otp_service.storage.database import Database
from otp_service.storage.rules import NOW
from otp_service.storage.transaction import Transaction, describe, given

log = logging.getLogger(__name__)

K = ApiKeyRow
Keys = Sequence[sa.Row[Any]]
SECONDS_TRUSTED = 2.0

_ALL = Transaction(sa.select(*K.__table__.c).order_by(K.created_at, K.name))
_CREATE = Transaction(
    sa.insert(K).from_select(
        ["name", "digest", "scopes", "created_at"],
        sa.select(given("name"), given("digest"), given("scopes"), NOW).where(
            ~sa.exists().where(K.name == given("name"))
        ),
    ),
    sa.select(K.digest).where(K.name == given("name")),
    serialize=[given("name")],
)
_REVOKE = Transaction(
    sa.update(K).where(K.name == given("name"), K.revoked_at.is_(None)).values(revoked_at=NOW),
    sa.select(K.name).where(K.name == given("name")),
)


def digest(key: str) -> str:
    """Keys have 256 random bits, so a fast hash is enough: there is nothing to guess."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def create(engine: sa.Engine, name: str, scopes: list[str]) -> str | None:
    """A new key, told this once; None if the name is taken, by a revoked key too."""
    key = f"otp_{secrets.token_urlsafe(32)}"
    rows = _CREATE.run(engine, name=name, digest=digest(key), scopes=" ".join(scopes))
    return key if rows[0].digest == digest(key) else None


def revoke(engine: sa.Engine, name: str) -> bool:
    """Whether there is such a key; then it is revoked."""
    return bool(_REVOKE.run(engine, name=name))


def everything(engine: sa.Engine) -> list[sa.Row[tuple[object, ...]]]:
    return list(_ALL.run(engine))


class KeyRing:
    """The keys that hold, read again every 2 seconds instead of at each request.

    With a fallback, a copy of the list is kept there: a service that starts while Postgres is
    away knows its clients, as of when it last could look.
    """

    def __init__(self, database: Database, fallback: Database | None = None) -> None:
        self._database = database
        self._fallback = fallback
        self._copied: Keys | None = None
        self._lock = threading.Lock()
        self._holders: dict[str, tuple[str, frozenset[str]]] | None = None
        self._stale_at = 0.0

    def find(self, key: str) -> tuple[str, frozenset[str]] | None:
        """The client that holds ``key``, and its scopes. May raise `StorageUnavailable`."""
        return self._current().get(digest(key))

    def _current(self) -> dict[str, tuple[str, frozenset[str]]]:
        if self._holders is not None and time.monotonic() < self._stale_at:
            return self._holders
        # One thread reads; the others go on with what they have, if they have anything.
        if self._lock.acquire(blocking=self._holders is None):
            try:
                self._refresh()
            finally:
                self._lock.release()
        assert self._holders is not None
        return self._holders

    def _refresh(self) -> None:
        try:
            rows = self._read()
        except StorageUnavailable:
            if self._holders is None:
                raise
        else:
            live = (row for row in rows if row.revoked_at is None)
            self._holders = {r.digest: (r.name, frozenset(r.scopes.split())) for r in live}
        self._stale_at = time.monotonic() + SECONDS_TRUSTED

    def _read(self) -> Keys:
        try:
            keys = self._database.run(_ALL)
        except HomeUnreachable:
            if self._fallback is None or self._holders is not None:
                raise
            return self._fallback.run(_ALL)
        if self._fallback and keys != self._copied and _copy(keys, self._fallback.engine):
            self._copied = keys
        return keys


def _copy(keys: Keys, engine: sa.Engine) -> bool:
    """Put them in the place of those that are there; whether that could be done."""
    try:
        with engine.begin() as connection:
            connection.execute(sa.delete(K))
            if keys:
                connection.execute(sa.insert(K), [dict(key._mapping) for key in keys])
    except sa.exc.SQLAlchemyError as error:
        log.error("the fallback could not take a copy of the API keys: %s", describe(error))
        return False
    return True
