"""What the engine must give, asked of the engine itself: some take a lock, and lock nothing.

Only what can be missing without an error is asked for, with the service's own statements, on two
connections: one holds something for a moment, the other wants it. What both see is a row of a
phone that there can't be, and it goes again; `retention` forgets it if its process is killed first.
"""

from __future__ import annotations

import secrets
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress

import psycopg2
import sqlalchemy as sa

from otp_service.domain.errors import StorageUnavailable
from otp_service.storage.db import failures, guarantees, postgres
from otp_service.storage.db.answer import Answer, Row
from otp_service.storage.db.guarantees import Missing
from otp_service.storage.db.lookup import Lookup
from otp_service.storage.db.message import Message
from otp_service.storage.db.transaction import SECONDS, Transaction, given
from otp_service.storage.models.dialects import from_now, in_turn, wait_in_turn
from otp_service.storage.models.limits import PhoneRow

IN_ALL = 5.0  # seconds; with a database nearby it takes a third of one
_SOON = 0.1  # who has no answer by then waits: who is slow must not be taken for who has no lock
P = PhoneRow

_PHONE = given("phone", sa.String())
_HERE = P.phone == _PHONE
_ADD = Transaction(sa.insert(P).values(phone=_PHONE, failures=0, updated_at=from_now(0)))
_REMOVE = Transaction(sa.delete(P).where(_HERE))
_IS_FREE = Transaction(sa.select(in_turn(_PHONE).label("free")))
_FREE_ROWS = Transaction(
    sa.select(sa.select(P.phone).where(_HERE).with_for_update(skip_locked=True).cte("rows").c.phone)
)
_BEHIND_LOCK = Transaction(
    sa.select(P.unlocked_at.is_not(None).label("seen")).where(_HERE), serialize=[_PHONE]
)
_CLAIM = Transaction(
    sa.update(P)
    .where(_HERE, P.unlocked_at.is_not(None))
    .values(updated_at=from_now(0))
    .returning(P.phone)
)
_BEGAN = Lookup(sa.select(from_now(0).label("began")))
_SAME = sa.select((_BEGAN["began"] == from_now(0)).label("same"))

Found = Generator[Missing, None, None]


def missing(engine: sa.Engine) -> Missing | None:
    """What this Postgres does not give, if anything.

    Raises `StorageUnavailable` where it can't be asked: it is away, too slow, or has no tables yet.
    """
    phone = f"engine-{secrets.token_hex(4)}"
    try:
        with (
            postgres.deadline(IN_ALL),
            ThreadPoolExecutor(1) as second,
            _row(engine, phone),
            closing(_asked(engine, phone, second)) as found,
        ):
            return next(found, None)
    except (sa.exc.SQLAlchemyError, psycopg2.Error) as error:
        failure = failures.failure_of(error)
    raise failure  # outside of the handler: a database error's text holds the row


@contextmanager
def _row(engine: sa.Engine, phone: str) -> Iterator[None]:
    _ADD.run(engine, phone=phone)
    try:
        yield
    finally:
        with suppress(StorageUnavailable):
            _REMOVE.run(engine, phone=phone)


def _asked(engine: sa.Engine, phone: str, second: ThreadPoolExecutor) -> Found:
    if not _is_one_transaction(engine):
        yield guarantees.ONE_TRANSACTION
    yield from _locks(engine, phone, second)
    yield from _rows(engine, phone, second)


def _is_one_transaction(engine: sa.Engine) -> bool:
    """By what a message keeps for its later statements, and by the clock of its transaction."""
    with engine.connect() as connection:  # which it gives up by itself if it is lost
        message = Message(engine.dialect, [_BEGAN, _SAME], tells_timeline=True)
        values = message.arguments({}, int(500 * SECONDS))
        text = str(connection.exec_driver_sql(message.sql, values).scalar())
    return bool(Answer(_SAME).of_text(text)[0].same)


def _locks(engine: sa.Engine, phone: str, second: ThreadPoolExecutor) -> Found:
    with _held(engine, phone, unlocked_at=sa.func.now()) as first:
        first.execute(sa.select(wait_in_turn(phone)))
        if _IS_FREE.run(engine, phone=phone)[0].free:
            yield guarantees.NO_LOCK
        if _FREE_ROWS.run(engine, phone=phone):
            yield guarantees.NOT_SKIPPED
        behind = second.submit(_BEHIND_LOCK.run, engine, phone=phone)
        if _has_answer(behind):
            yield guarantees.NO_WAIT
    if not behind.result()[0].seen:
        yield guarantees.NOT_READ_COMMITTED
    if not _IS_FREE.run(engine, phone=phone)[0].free:
        yield guarantees.NO_END


def _rows(engine: sa.Engine, phone: str, second: ThreadPoolExecutor) -> Found:
    if not _FREE_ROWS.run(engine, phone=phone):
        yield guarantees.NOT_FOUND
    with _held(engine, phone, unlocked_at=None):
        claim = second.submit(_CLAIM.run, engine, phone=phone)
        if _has_answer(claim):
            yield guarantees.NO_ROW_LOCK
    if claim.result():
        yield guarantees.NO_SECOND_LOOK


@contextmanager
def _held(engine: sa.Engine, phone: str, **changes: object) -> Iterator[sa.Connection]:
    """The row is changed by a transaction that is committed at the block's end."""
    with (
        engine.execution_options(isolation_level="READ COMMITTED").connect() as connection,
        connection.begin(),
    ):
        connection.execute(sa.update(P).where(P.phone == phone).values(changes))
        yield connection


def _has_answer(asked: Future[list[Row]]) -> bool:
    """Already. Raises what it raised: an error is no answer."""
    if not wait([asked], _SOON).done:
        return False
    asked.result()
    return True
