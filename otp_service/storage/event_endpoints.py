"""The endpoints that get events: their secrets sealed, known to each process within seconds."""

from __future__ import annotations

import logging
import secrets as random
from collections.abc import Sequence

import sqlalchemy as sa

from otp_service.domain.codes import Secret
from otp_service.domain.errors import StorageUnavailable
from otp_service.domain.events import Endpoint, EventType
from otp_service.domain.sealing import seal, unseal
from otp_service.storage.cached_rows import CachedRows
from otp_service.storage.copied_rows import Rows
from otp_service.storage.db.answer import Row
from otp_service.storage.db.database import Database
from otp_service.storage.models.events import EventEndpointRow
from otp_service.storage.sql.event_endpoints import ADD, ALL, REMOVE, RESEAL, WANTS_NO_MORE

SECONDS_TRUSTED = 2.0
ACTOR = "service"  # in the audit trail, of what no operator did
_KIND = "event endpoint"
_KEY_BYTES = 32  # Standard Webhooks 1.0 wants 24 to 64
_ID_BYTES = 4
log = logging.getLogger(__name__)


def add(
    engine: sa.Engine,
    secret: Secret,
    url: str,
    *,
    client: str | None = None,
    types: Sequence[EventType] = (),
    with_phone: bool = True,
) -> Endpoint:
    """A new one, with a key of its own, which is sealed with the newest ``secret``."""
    endpoint_id, key = random.token_hex(_ID_BYTES), random.token_bytes(_KEY_BYTES)
    (row,) = ADD.run(
        engine,
        id=endpoint_id,
        url=url,
        client=client,
        types=" ".join(each.value for each in types),
        with_phone=with_phone,
        secret=seal(secret, _KIND, endpoint_id, key),
        secret_id=secret.id,
    )
    return _endpoint(row, key)


def everything(engine: sa.Engine, secrets: Sequence[Secret]) -> list[Endpoint]:
    """Those that have ended, too, oldest first."""
    return _Opener(secrets)(ALL.run(engine))


def remove(engine: sa.Engine, endpoint_id: str) -> bool:
    """Whether there was such an endpoint; then it gets no more events."""
    return bool(REMOVE.run(engine, id=endpoint_id))


class EventEndpoints:
    """The endpoints, read again every second.

    A key whose secret is no longer the newest is sealed anew with that, so that the old secret can
    go. The fallback has a copy: its own events need it, as does who starts in an outage.
    """

    def __init__(
        self, secrets: Sequence[Secret], database: Database, fallback: Database | None = None
    ) -> None:
        self._secrets = {secret.id: secret for secret in secrets}
        self._newest = secrets[0]
        self._database = database
        opener = _Opener(secrets)
        self.cache = CachedRows(
            EventEndpointRow, ALL, opener, database, fallback, complete=self._sealed_anew
        )

    def now(self) -> list[Endpoint]:
        """Those that get events; none if that can't be known."""
        try:
            known = self.cache.now(SECONDS_TRUSTED)
        except StorageUnavailable:  # the database has told of it
            return []
        return [each for each in known if each.ended_at is None]

    def end(self, endpoint_id: str) -> None:
        """It wants no more. May raise `StorageUnavailable`."""
        self._database.run(WANTS_NO_MORE, id=endpoint_id, client=ACTOR)
        self.cache.refresh()

    def _sealed_anew(self, rows: Rows) -> Rows:
        old = [row for row in rows if not row.revoked_at and row.secret_id != self._newest.id]
        changed = [self._seal_anew(row) for row in old if row.secret_id in self._secrets]
        return self._database.run(ALL) if any(changed) else rows

    def _seal_anew(self, row: Row) -> bool:
        try:
            key = unseal(self._secrets[row.secret_id], _KIND, row.id, row.secret)
        except ValueError:  # who opens it tells of it
            return False
        anew = {"secret": seal(self._newest, _KIND, row.id, key), "secret_id": self._newest.id}
        self._database.run(RESEAL, id=row.id, before=row.secret, **anew)
        return True


class _Opener:
    """From rows to endpoints. Each key is opened once; those that have ended need none."""

    def __init__(self, secrets: Sequence[Secret]) -> None:
        self._secrets = {secret.id: secret for secret in secrets}
        self._opened: dict[tuple[str, str], bytes] = {}

    def __call__(self, rows: Rows) -> list[Endpoint]:
        return [_endpoint(row, b"" if row.revoked_at else self._key(row)) for row in rows]

    def _key(self, row: Row) -> bytes:
        sealed = row.id, row.secret
        if sealed not in self._opened:
            self._opened[sealed] = self._unsealed(row)
        return self._opened[sealed]

    def _unsealed(self, row: Row) -> bytes:
        secret = self._secrets.get(row.secret_id)
        try:
            if secret:
                return unseal(secret, _KIND, row.id, row.secret)
        except ValueError:
            pass
        log.error("the key of the endpoint %s can't be opened: add it anew", row.id)
        return b""


def _endpoint(row: Row, key: bytes) -> Endpoint:
    return Endpoint(
        id=row.id,
        url=row.url,
        client=row.client,
        types=tuple(map(EventType, row.types.split())),
        with_phone=bool(row.with_phone),
        key=key,
        created_at=row.created_at,
        ended_at=row.revoked_at,
    )
