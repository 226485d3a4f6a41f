"""API keys: made once, stored hashed, known to each process within seconds."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from contextlib import suppress

import sqlalchemy as sa

from otp_service.domain.errors import StorageUnavailable
from otp_service.storage.access_models import ApiKeyRow
from otp_service.storage.database import Database
from otp_service.storage.known_rows import KnownRows, Rows
from otp_service.storage.rules import NOW
from otp_service.storage.transaction import Transaction, given

K = ApiKeyRow
Holder = tuple[str, frozenset[str]]
SECONDS_TRUSTED = 2.0
SECONDS_BETWEEN_NOTES = 60
NOTING = "api-key-use"  # the name of the thread that notes it

_ALL = Transaction(sa.select(*K.__table__.c).order_by(K.created_at, K.name), reads=True)
# Without the time of the last use: a copy of the rest is not made again because a key was used.
_HOLDERS = Transaction(
    sa.select(K.name, K.digest, K.scopes, K.created_at, K.revoked_at).order_by(K.name),
    reads=True,
)
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
_NOTE_USE = Transaction(sa.update(K).where(K.name == given("name")).values(last_used_at=NOW))


def digest(key: str) -> str:
    """What is stored of a key, and what it is looked up by.

    Keys have 256 random bits, so a fast hash is enough: there is nothing to guess. A presented
    key is never compared with a stored one. Its digest is looked up, and how long that takes
    tells nothing of a key: whoever tries keys can't choose their digests.
    """
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

    That a key was used is noted once a minute, beside the request: no request waits for it.
    """

    def __init__(self, database: Database, fallback: Database | None = None) -> None:
        self._database = database
        self._holders = KnownRows(K, _HOLDERS, _holders, database, fallback)
        self._noting = threading.Lock()
        self._noted_at: dict[str, float] = {}

    def find(self, key: str) -> Holder | None:
        """The client that holds ``key``, and its scopes. May raise `StorageUnavailable`."""
        holder = self._holders.now(SECONDS_TRUSTED).get(digest(key))
        if holder and self._is_time_to_note(holder[0]):
            note = threading.Thread(None, self._note_use, NOTING, [holder[0]], daemon=True)
            with suppress(RuntimeError):  # no more threads: a note is not worth a refusal
                note.start()
        return holder

    def _is_time_to_note(self, name: str) -> bool:
        now = time.monotonic()
        with self._noting:
            last = self._noted_at.get(name)
            if last is not None and now - last < SECONDS_BETWEEN_NOTES:
                return False
            self._noted_at[name] = now
        return not self._database.is_down

    def _note_use(self, name: str) -> None:
        """Past the circuit breaker: what is lost here must not be told, nor count as an outage."""
        with suppress(StorageUnavailable):
            _NOTE_USE.run(self._database.engine, name=name)


def _holders(rows: Rows) -> dict[str, Holder]:
    live = (row for row in rows if row.revoked_at is None)
    return {row.digest: (row.name, frozenset(row.scopes.split())) for row in live}
