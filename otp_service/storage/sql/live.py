"""The verification that counts for a person by phone alone, and what the fallback knows of one."""

from __future__ import annotations

import sqlalchemy as sa

from otp_service.domain.verification import Person, Status, Verification
from otp_service.storage.db.database import Database
from otp_service.storage.db.transaction import Transaction, given
from otp_service.storage.models.verifications import VerificationRow
from otp_service.storage.sql import rows
from otp_service.storage.sql.columns import VERIFICATION
from otp_service.storage.sql.conditions import LIVE, NOW, OF_PERSON, newest_verification
from otp_service.storage.sql.events import UNTOLD

V = VerificationRow
_IS_NEWEST = V.id == newest_verification()
_UNEXPIRED = V.expires_at > NOW

_LIVE = Transaction(sa.select(*VERIFICATION).where(_IS_NEWEST, LIVE), name="live", reads=True)
_KNOWN = Transaction(sa.select(V.status).where(_IS_NEWEST, _UNEXPIRED), name="known", reads=True)
_BY_ID = Transaction(sa.select(V.id).where(V.id == given("id")), name="has", reads=True)
_OF_PHONE = Transaction(
    sa.select(V.id).where(V.phone == given("phone")).limit(1), name="has_phone", reads=True
)
_ANY_UNEXPIRED = Transaction(
    sa.select(V.id).where(_UNEXPIRED).limit(1), name="knows_anybody", reads=True
)
_ALL_IN_USE = Transaction(
    sa.select(V.id).where(sa.or_(_UNEXPIRED, UNTOLD)), name="in_use", reads=True
)
_FORGET = Transaction(
    sa.update(V).where(OF_PERSON, _UNEXPIRED).values(expires_at=NOW), name="forget"
)


def live(database: Database, person: Person) -> Verification | None:
    """The person's live verification."""
    found = database.run(_LIVE, **vars(person))
    return rows.verification(found[0]) if found else None


def has(database: Database, verification_id: str) -> bool:
    """Whether there is one with this id, be it whose it may."""
    return bool(database.run(_BY_ID, id=verification_id))


def known(database: Database, person: Person) -> Status | None:
    """That of the person's newest verification, until it expires. On SQLite only."""
    found = _KNOWN.run(database.engine, **vars(person))
    return Status(found[0][0]) if found else None


def knows_anybody(database: Database) -> bool:
    """Whether any verification may still be asked for by phone. On SQLite only."""
    return bool(_ANY_UNEXPIRED.run(database.engine))


def has_phone(database: Database, phone: str) -> bool:
    """Whether there is any verification of it. On SQLite only."""
    return bool(_OF_PHONE.run(database.engine, phone=phone))


def forget(database: Database, person: Person) -> None:
    """Let what the person has expire now."""
    database.run(_FORGET, **vars(person))


def in_use(database: Database) -> int:
    """How many verifications may still be asked for by phone, or are still to be told of."""
    return len(database.run(_ALL_IN_USE))
