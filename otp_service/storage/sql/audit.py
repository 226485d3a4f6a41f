"""The audit trail: who did what to which verification, key or limit.

Nothing changes an entry, or deletes one within 90 days: the database refuses it (migration 0005).
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from typing import Any, Literal, get_args

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain.phone import mask
from otp_service.storage.db.answer import Row
from otp_service.storage.db.transaction import Statement, Transaction, given
from otp_service.storage.models.audit import AuditRow
from otp_service.storage.models.dialects import clock, from_now

U = AuditRow
Action = Literal[
    "verification.started",
    "verification.resent",
    "verification.checked",
    "verification.canceled",
    "verification.read",
    "message.relayed",
    "message.read",
    "verifications.listed",
    "verifications.voided",
    "key.created",
    "key.revoked",
    "signing_key.created",
    "signing_key.revoked",
    "endpoint.added",
    "endpoint.removed",
    "endpoint.gone",
    "events.replayed",
    "phone.explained",
    "phone.unlocked",
    "phone.erased",
]
ACTIONS: tuple[str, ...] = get_args(Action)
"""All that an entry may tell of: no other passes the type checker."""
KEPT_DAYS = 365


_CLIENT = given("client", sa.String())
# Of a key that was made when names were not held to a form: it must not pass for an operator.
_MARKED = sa.func.substr(sa.literal("client:") + _CLIENT, 1, 64)
_ACTOR = sa.case((sa.func.lower(_CLIENT).like("operator%"), _MARKED), else_=_CLIENT)


def entry(action: Action, source: Any, where: sa.ColumnElement[bool], **values: Any) -> Statement:
    """In a transaction of a client's: an entry for each row of ``source`` that it is true of."""
    columns = {
        U.at: clock(),
        U.actor: _ACTOR,
        U.action: sa.literal(action),
        **{getattr(U, name): value for name, value in values.items()},
    }
    rows = sa.select(*columns.values()).select_from(source).where(where)
    return sa.insert(U).from_select(list(columns), rows)


def of_start(column: Any, verification_id: Any) -> sa.ScalarSelect[Any]:
    """What the entry of a verification's beginning has in ``column``."""
    begun = sa.orm.aliased(U)
    begins = sa.or_(begun.action == "verification.started", begun.action == "message.relayed")
    started = (begun.verification_id == verification_id, begins)
    return sa.select(getattr(begun, column.key)).where(*started).limit(1).scalar_subquery()


def operator() -> str:
    """Who runs a command, as an actor: the account's name, or its number where it has none.

    The account is the process's own: what its environment says (LOGNAME, USER, SUDO_USER) is what
    whoever typed the command wanted it to say.
    """
    try:
        return f"operator:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:  # a container's numeric user
        return f"operator:{os.getuid()}"


_RECORD = Transaction(
    sa.insert(U).from_select(
        [U.at, U.actor, U.action, U.phone, U.phone_digest, U.detail],
        sa.select(
            clock(),
            given("actor", sa.String()),
            given("action", sa.String()),
            given("phone", sa.String()),
            given("phone_digest", sa.String()),
            given("detail", sa.String()),
        ),
    )
)


def record(
    engine: sa.Engine,
    *,
    actor: str,
    action: Action,
    phone: str | None = None,
    phone_digest: str | None = None,
    detail: str | None = None,
) -> None:
    """Of what an operator did. ``phone`` is E.164 and is kept masked; 255 characters of detail."""
    _RECORD.run(
        engine,
        actor=actor[:64],
        action=action,
        phone=phone and mask(phone, "*"),
        phone_digest=phone_digest,
        detail=detail and detail[:255],
    )


_FILTERS = {
    "actor": U.actor,
    "action": U.action,
    "verification_id": U.verification_id,
}


def _found(digests: int) -> Transaction:
    """The newest entries, of one phone if there are ``digests`` of it (one for each secret)."""
    asked = [
        sa.or_(given(name, sa.String()).is_(None), column == given(name, sa.String()))
        for name, column in _FILTERS.items()
    ]
    if digests:
        asked.append(sa.or_(*(U.phone_digest == given(f"digest_{n}") for n in range(digests))))
    since = U.at > from_now(-given("seconds", sa.Integer()))
    newest = sa.select(*U.__table__.c).where(since, *asked).order_by(U.id.desc())
    return Transaction(newest.limit(given("count", sa.Integer())), reads=True, seconds=20)


def find(
    engine: sa.Engine,
    *,
    seconds: int,
    count: int,
    phone_digests: Sequence[str] = (),
    actor: str | None = None,
    action: str | None = None,
    verification_id: str | None = None,
) -> list[Row]:
    """The newest ``count`` entries of the last ``seconds``, newest first."""
    digests = {f"digest_{number}": digest for number, digest in enumerate(phone_digests)}
    asked = {"actor": actor, "action": action, "verification_id": verification_id}
    transaction = _found(len(phone_digests))
    return list(transaction.run(engine, seconds=seconds, count=count, **asked, **digests))


_BATCH = 500
# Ids grow with time, so the oldest are found without an index of their times.
_OLDEST = sa.select(U.id).order_by(U.id).limit(_BATCH).cte("oldest")
FORGET_OLD = Transaction(
    sa.delete(U)
    .where(U.id.in_(sa.select(_OLDEST.c.id)))
    .where(U.at < from_now(-86_400 * given("days", sa.Integer())))
    .returning(U.id),
    seconds=20,
)
"""One batch of what is older than so many days."""
