"""Keys that sign, as tests see them: which signs, which are published, and time that passes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from otp_service.domain.codes import Secret
from otp_service.proofs import keys as signing
from otp_service.proofs.keys import utc_now
from otp_service.storage.db import engine as engines
from otp_service.storage.db.database import Database
from otp_service.storage.models.keys import SigningKeyRow
from otp_service.storage.signing_keys import SigningKeys
from otp_service.storage.sql import audit

ROOT = Path(__file__).parents[2]
OLD, NEW = Secret(b"o" * 32), Secret(b"n" * 32)
AWAY = "postgresql+psycopg2://otp@127.0.0.1:1/otp"
A_PROCESS = """
import sys
import sqlalchemy as sa
from otp_service.domain.codes import Secret
from otp_service.storage.db import engine as engines
from otp_service.storage.db.database import Database
from otp_service.storage.signing_keys import SigningKeys

engine = sa.create_engine(sys.argv[1], **engines.options(sys.argv[1], 1))
engines.prepare(engine)
keys = SigningKeys([Secret(b"o" * 32)], Database(engine))
print("ready", flush=True)
sys.stdin.readline()
print(keys.now()[0].kid)
"""


@contextmanager
def database_at(url: str) -> Iterator[Database]:
    engine = sa.create_engine(url, **engines.options(url, 2))
    engines.prepare(engine)
    yield Database(engine)
    engine.dispose()


def pass_time(engine: sa.Engine, seconds: float) -> None:
    """Let the clock run on by moving every key into the past."""
    with engine.begin() as connection:
        for kid, *times in connection.execute(
            sa.select(SigningKeyRow.kid, SigningKeyRow.created_at, SigningKeyRow.signs_from)
        ).all():
            created_at, signs_from = (time - timedelta(seconds=seconds) for time in times)
            moved = {"created_at": created_at, "signs_from": signs_from}
            this = SigningKeyRow.kid == kid
            connection.execute(sa.update(SigningKeyRow).where(this).values(moved))


def signs(keys: SigningKeys) -> str | None:
    """The kid of the key that signs now."""
    key = signing.signer(keys.now(), utc_now())
    return key.kid if key else None


def published(keys: SigningKeys) -> list[str]:
    return [key.kid for key in signing.published(keys.now(), utc_now())]


def actions(engine: sa.Engine) -> list[tuple[str, str]]:
    return [(row.actor, row.action) for row in audit.find(engine, seconds=60, count=9)]
