"""The keys that sign proofs: stored encrypted, known to each process within seconds."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from otp_service.domain.codes import Secret
from otp_service.proofs import keys as signing
from otp_service.proofs.keys import SECONDS_AHEAD, SigningKey, utc_now
from otp_service.storage.cached_rows import CachedRows
from otp_service.storage.copied_rows import Rows
from otp_service.storage.db.answer import Row
from otp_service.storage.db.database import Database
from otp_service.storage.models.keys import SigningKeyRow
from otp_service.storage.sql.signing_keys import ALL, MAKE_IF_MISSING, REVOKE, ROTATE

log = logging.getLogger(__name__)

SECONDS_TRUSTED = 2.0
ACTOR = "service"  # in the audit trail, of keys that no operator made


def everything(engine: sa.Engine, secrets: Sequence[Secret]) -> list[SigningKey]:
    """All that are stored, oldest first."""
    return _Opener(secrets)(ALL.run(engine))


def rotate(engine: sa.Engine, secrets: Sequence[Secret]) -> SigningKey:
    """A new key. It signs at once if no other can, else in 10 minutes."""
    urgent = signing.signer(everything(engine, secrets), utc_now()) is None
    made = signing.make(secrets[0])
    rows = ROTATE.run(engine, **vars(made), delay=0 if urgent else SECONDS_AHEAD)
    return next(key for key in _Opener(secrets)(rows) if key.kid == made.kid)


def revoke(engine: sa.Engine, kid: str) -> bool:
    """Whether there is such a key; then it is revoked."""
    return bool(REVOKE.run(engine, kid=kid))


class SigningKeys:
    """The keys, read again every second instead of for each proof.

    One is made if there is none of the newest secret. So while a secret is replaced, the next key
    is published and takes over before the old secret, and the key that it sealed, goes.
    """

    def __init__(
        self, secrets: Sequence[Secret], database: Database, fallback: Database | None = None
    ) -> None:
        self._newest = secrets[0]
        self._open = _Opener(secrets)
        self._database = database
        self.cache = CachedRows(
            SigningKeyRow, ALL, self._open, database, fallback, complete=self._make_if_missing
        )

    def now(self) -> list[SigningKey]:
        """All, oldest first. May raise `StorageUnavailable`: see `CachedRows.now`."""
        return self.cache.now(SECONDS_TRUSTED)

    def _make_if_missing(self, rows: Rows) -> Rows:
        live = signing.published(keys := self._open(rows), utc_now())
        of_newest = {row.kid for row in rows if row.secret_id == self._newest.id}
        if any(key.kid in of_newest for key in live):
            return rows
        made = signing.make(self._newest)
        delay = SECONDS_AHEAD if signing.signer(keys, utc_now()) else 0
        rows = self._database.run(MAKE_IF_MISSING, client=ACTOR, **vars(made), delay=delay)
        if any(row.kid == made.kid for row in rows):  # and no other process was faster
            log.info("made the signing key %s", made.kid)
        return rows


class _Opener:
    """From rows to keys. Each private key is decrypted once."""

    def __init__(self, secrets: Sequence[Secret]) -> None:
        self._secrets = {secret.id: secret for secret in secrets}
        self._opened: dict[str, Ed25519PrivateKey | None] = {}

    def __call__(self, rows: Rows) -> list[SigningKey]:
        return [
            SigningKey(
                kid=row.kid,
                public_key=row.public_key,
                created_at=row.created_at,
                signs_from=row.signs_from,
                revoked=row.revoked_at is not None,
                private=None if row.revoked_at else self._private(row),
            )
            for row in rows
        ]

    def _private(self, row: Row) -> Ed25519PrivateKey | None:
        if row.kid not in self._opened:
            secret = self._secrets.get(row.secret_id)
            self._opened[row.kid] = _unseal(row.kid, row.private_key, secret) if secret else None
        return self._opened[row.kid]


def _unseal(kid: str, private_key: str, secret: Secret) -> Ed25519PrivateKey | None:
    try:
        return signing.unseal(private_key, secret)
    except ValueError:
        log.error("the signing key %s can't be opened: revoke it", kid)
        return None
