"""API keys: made once, stored hashed, known to each process within seconds."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import sqlalchemy as sa

from otp_service.domain.errors import StorageUnavailable
from otp_service.storage.cached_rows import CachedRows
from otp_service.storage.copied_rows import Rows
from otp_service.storage.db.answer import Row
from otp_service.storage.db.database import Database
from otp_service.storage.db.transaction import Transaction, given
from otp_service.storage.models.keys import ApiKeyRow
from otp_service.storage.sql.conditions import NOW

K = ApiKeyRow
Holder = tuple[str, frozenset[str]]
MOST = 2  # keys of a client that hold at once: the one in use, and the next
DEFAULT_SCOPES = "otp read"
SECONDS_TRUSTED = 2.0
SECONDS_UNKNOWN = 0.25  # a key that is not known may be new; of a crowd of wrong ones, one looks
SECONDS_BETWEEN_NOTES = 60
NOTING = "api-key-use"  # the name of the thread that notes it

# In ASCII, so that no name looks like another one, and without a colon, which other actors of the
# audit trail have. "service" is one, too, what begins with "operator" looks like one, and
# "public" is everyone while no keys are required.
_NAME = re.compile(r"(?!service$|public$|[o0]perat[o0]r)[a-z0-9][a-z0-9._-]{0,63}", re.IGNORECASE)
NAME_RULE = (
    "NAME must be 1 to 64 letters, digits, dots, dashes and underscores, such as shop-2; it begins "
    "with a letter or digit, and is neither service nor public, nor begins with operator"
)

_ID_DIGITS = 8
_OF_NAME = K.name == given("name")
_HOLDS = sa.and_(_OF_NAME, K.revoked_at.is_(None))

ALL = Transaction(
    sa.select(*K.__table__.c).order_by(K.name, K.created_at, K.digest),
    name="api_keys",
    reads=True,
)
# Without the time of the last use: a copy of the rest is not made again because a key was used.
HOLDERS = Transaction(
    sa.select(K.name, K.digest, K.scopes, K.created_at, K.revoked_at).order_by(K.digest),
    name="key_holders",
    reads=True,
)


def _create() -> Transaction:
    """Unless the client has as many as it may; with the scopes of its newest if none are given."""
    newest = sa.select(K.scopes).where(_HOLDS).order_by(K.created_at.desc()).limit(1)
    scopes = sa.func.coalesce(
        given("scopes", sa.String()), newest.scalar_subquery(), sa.literal(DEFAULT_SCOPES)
    )
    count = sa.select(sa.func.count()).where(_HOLDS).scalar_subquery()
    new = sa.select(given("name"), given("digest"), scopes, NOW).where(count < MOST)
    return Transaction(
        sa.insert(K).from_select(["name", "digest", "scopes", "created_at"], new),
        sa.select(K.digest).where(K.digest == given("digest")),
        serialize=[given("name")],
    )


def _revoke() -> Transaction:
    key = given("key", sa.String())
    these = sa.and_(_OF_NAME, sa.or_(key.is_(None), sa.func.substr(K.digest, 1, _ID_DIGITS) == key))
    return Transaction(
        sa.update(K).where(these, K.revoked_at.is_(None)).values(revoked_at=NOW),
        sa.select(K.digest).where(these),
    )


_CREATE, _REVOKE = _create(), _revoke()
_NOTE_USE = Transaction(
    sa.update(K).where(K.digest == given("digest")).values(last_used_at=NOW), name="note_use"
)


def digest(key: str) -> str:
    """What is stored of a key, and what it is looked up by.

    Keys have 256 random bits, so a fast hash is enough: there is nothing to guess. A presented
    key is never compared with a stored one. Its digest is looked up, and how long that takes
    tells nothing of a key: whoever tries keys can't choose their digests.
    """
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def key_id(stored_digest: str) -> str:
    """What a key is called, in lists and to revoke it: 8 hex digits that tell nothing of it."""
    return stored_digest[:_ID_DIGITS]


def create(engine: sa.Engine, name: str, scopes: Sequence[str] | None = None) -> str | None:
    """A new key of the client ``name``, told this once; None if it has two that hold.

    Without ``scopes`` it gets those of the client's newest key, or else `DEFAULT_SCOPES`. Raises
    `ValueError` for a name that no client may have.
    """
    if not _NAME.fullmatch(name) and all(row.name != name for row in everything(engine)):
        raise ValueError(NAME_RULE)
    key = f"otp_{secrets.token_urlsafe(32)}"
    asked = {"digest": digest(key), "scopes": " ".join(scopes) if scopes else None}
    return key if _CREATE.run(engine, name=name, **asked) else None


def revoke(engine: sa.Engine, name: str, key: str | None = None) -> bool:
    """Whether the client has keys, or the one with the id ``key``; then they are revoked."""
    return bool(_REVOKE.run(engine, name=name, key=key))


def everything(engine: sa.Engine) -> list[Row]:
    """By name, oldest first."""
    return list(ALL.run(engine))


class KeyRing:
    """The keys that hold, read again every second instead of at each request.

    That a key was used is noted once a minute, beside the request: no request waits for it.
    """

    def __init__(self, database: Database, fallback: Database | None = None) -> None:
        self._database = database
        self.cache = CachedRows(K, HOLDERS, _holders, database, fallback)
        self._noting = threading.Lock()
        self._noted_at: dict[str, float] = {}

    def find(self, key: str) -> Holder | None:
        """The client that holds ``key``, and its scopes. May raise `StorageUnavailable`."""
        of_key = digest(key)
        holders = self.cache.now(SECONDS_TRUSTED)
        if key and of_key not in holders:
            with suppress(StorageUnavailable):  # then nobody can tell: it is unknown
                holders = self.cache.now(SECONDS_UNKNOWN)
        holder = holders.get(of_key)
        if holder and self._is_time_to_note(of_key):
            note = threading.Thread(None, self._note_use, NOTING, [of_key], daemon=True)
            with suppress(RuntimeError):  # no more threads: a note is not worth a refusal
                note.start()
        return holder

    def _is_time_to_note(self, of_key: str) -> bool:
        now = time.monotonic()
        with self._noting:
            last = self._noted_at.get(of_key)
            if last is not None and now - last < SECONDS_BETWEEN_NOTES:
                return False
            self._noted_at[of_key] = now
        return not self._database.is_down

    def _note_use(self, of_key: str) -> None:
        """Past the circuit breaker: what is lost here must not be told, nor count as an outage."""
        with suppress(StorageUnavailable):
            _NOTE_USE.run(self._database.engine, digest=of_key)


def _holders(rows: Rows) -> dict[str, Holder]:
    live = (row for row in rows if row.revoked_at is None)
    return {row.digest: (row.name, frozenset(row.scopes.split())) for row in live}
