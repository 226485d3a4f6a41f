"""The statements on the keys that sign proofs. `signing` says what their times mean."""

from __future__ import annotations

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.proofs.keys import SECONDS_BEHIND
from otp_service.storage.db.transaction import Statement, Transaction, given
from otp_service.storage.models.dialects import from_now
from otp_service.storage.models.keys import SigningKeyRow
from otp_service.storage.sql import audit
from otp_service.storage.sql.conditions import NOW

K = SigningKeyRow
NOT_REVOKED = K.revoked_at.is_(None)
# What changes the keys does so one after the other, over all processes.
IN_TURN = [sa.literal("signing keys")]


def _forget_ended() -> Statement:
    """As `signing.published` has it. What has ended must not sign again if others are revoked."""
    later = sa.orm.aliased(K)
    ended = sa.exists().where(
        later.revoked_at.is_(None),
        later.signs_from <= from_now(-SECONDS_BEHIND),
        later.signs_from > K.signs_from,
    )
    return sa.delete(K).where(ended)


def _add(*conditions: sa.ColumnElement[bool]) -> Statement:
    values = {
        K.kid: given("kid"),
        K.public_key: given("public_key"),
        K.private_key: given("private_key"),
        K.secret_id: given("secret_id"),
        K.created_at: NOW,
        K.signs_from: from_now(given("delay", sa.Integer())),
    }
    return sa.insert(K).from_select(list(values), sa.select(*values.values()).where(*conditions))


def _next_takes_over() -> Statement:
    """If the key that is revoked is the one that signs, the first that waits does not wait."""
    waits = sa.select(K.kid).where(NOT_REVOKED, K.signs_from > NOW).order_by(K.signs_from, K.kid)
    begun = sa.select(K.kid).where(NOT_REVOKED, K.signs_from <= NOW)
    newest = begun.order_by(K.signs_from.desc(), K.kid.desc()).limit(1).scalar_subquery()
    this = K.kid == waits.limit(1).scalar_subquery()
    return sa.update(K).where(this, newest == given("kid")).values(signs_from=NOW)


_OF_SECRET = sa.exists().where(NOT_REVOKED, K.secret_id == given("secret_id"))
_EVERY_ROW = sa.select(*K.__table__.c).order_by(K.signs_from, K.kid)

ALL = Transaction(_EVERY_ROW, name="signing_keys", reads=True)
ROTATE = Transaction(_forget_ended(), _add(), _EVERY_ROW, serialize=IN_TURN)
MAKE_IF_MISSING = Transaction(
    _forget_ended(),
    _add(~_OF_SECRET),
    audit.entry("signing_key.created", K, K.kid == given("kid"), detail=K.kid),
    _EVERY_ROW,
    name="make_signing_key",
    serialize=IN_TURN,
)
REVOKE = Transaction(
    _forget_ended(),
    _next_takes_over(),
    sa.update(K).where(K.kid == given("kid"), NOT_REVOKED).values(revoked_at=NOW),
    sa.select(K.kid).where(K.kid == given("kid")),
    serialize=IN_TURN,
)
