"""Whether each home answers and has this release's schema; if not, what is the cause."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from flask import Flask

from otp_service.cli.check.findings import Finding, ok, problem, warning
from otp_service.domain.errors import HomeUnreachable, StorageUnavailable
from otp_service.storage.db import guarantee_check, guarantees
from otp_service.storage.db.database import PING
from otp_service.storage.db.session import keeps_functions
from otp_service.storage.db.transaction import Transaction
from otp_service.storage.models.base import engines_of
from otp_service.storage.models.dialects import SCHEMA, timeline
from otp_service.storage.schema import revisions

_VERSION = sa.Table(
    "alembic_version", sa.MetaData(), sa.Column("version_num", sa.String()), schema=SCHEMA
)
_REVISION = Transaction(sa.select(_VERSION.c.version_num), reads=True)
_SETTINGS = sa.table("pg_settings", sa.column("name"), sa.column("reset_val", sa.String()))
_OF_DATABASE = (  # each of our sessions has its own
    sa.select(_SETTINGS.c.reset_val)
    .where(_SETTINGS.c.name == "default_transaction_isolation")
    .scalar_subquery()
)
_DEFAULTS = Transaction(
    sa.select(
        timeline().label("timeline"),
        _OF_DATABASE.label("isolation"),
    ),
    reads=True,
)
_INIT_DB = "Run: ./otp init-db"
_SQLITE = (
    "Is the disk full, may this user write to the file and its folder, and is it a SQLite file?"
)
_NO_TIMELINE = (
    "On Aurora all copies share one storage, so nothing is lost. Elsewhere let the role execute "
    "pg_current_wal_lsn and pg_walfile_name, or replicate synchronously."
)


def check(app: Flask) -> Iterator[Finding]:
    """The database, and the fallback if there is one."""
    names = ("database", "fallback")
    for name, engine in zip(names, engines_of(app), strict=False):
        kind = engine.dialect.name
        try:
            yield from _home(name, engine)
        except HomeUnreachable as failure:
            yield problem(name, f"{kind} can't be reached: {failure.reason}", failure.advice)
        except StorageUnavailable as failure:
            advice = _SQLITE if kind == "sqlite" else failure.advice
            yield problem(name, f"{kind} refuses: {failure.reason}", advice)


def _home(name: str, engine: sa.Engine) -> Iterator[Finding]:
    kind = engine.dialect.name
    if (at := _revision(engine)) != (newest := revisions()[-1]):
        yield _other_schema(name, kind, at, newest)
        return
    PING.run(engine)
    yield ok(name, f"{kind} answers, and its schema is this release's")
    if kind == "postgresql":
        yield _guarantees(name, engine)
        yield from _differences(name, engine)


def _guarantees(name: str, engine: sa.Engine) -> Finding:
    """What could be missing without an error."""
    try:
        lacking = guarantee_check.missing(engine)
    except StorageUnavailable as failure:
        text = f"it could not be asked what it gives: {failure.reason}"
        return warning(name, text, failure.advice)
    if lacking:
        return problem(name, f"it can't be used: {lacking}", guarantees.ADVICE)
    text = "two connections found that its locks hold, that a message is one transaction, and "
    return ok(name, f"{text}READ COMMITTED and SKIP LOCKED what they say")


def _differences(name: str, engine: sa.Engine) -> Iterator[Finding]:
    """From a Postgres with every default."""
    (found,) = _DEFAULTS.run(engine)
    if found.timeline is None:
        text = "postgresql does not tell its timeline: after a failover that loses commits, a "
        yield warning(name, f"{text}code that was used could be accepted again", _NO_TIMELINE)
    if found.isolation != "read committed":
        text = f"the default isolation is {found.isolation}; the service's own transactions are "
        yield ok(name, f"{text}READ COMMITTED all the same")
    if not keeps_functions(engine):
        text = "its sessions keep nothing for the service, as behind a pooler: it plans each "
        yield ok(name, f"{text}statement anew, which takes it several times as long")


def _revision(engine: sa.Engine) -> str:
    """Which schema it has; empty if none."""
    try:
        rows = _REVISION.run(engine)
    except HomeUnreachable:
        raise
    except StorageUnavailable as failure:
        if "SQLSTATE 42P01" in failure.reason or _is_empty_file(engine):
            return ""
        raise
    return str(rows[0].version_num) if rows else ""


def _is_empty_file(engine: sa.Engine) -> bool:
    """SQLite has no SQLSTATE for a missing table."""
    try:
        return engine.dialect.name == "sqlite" and not sa.inspect(engine).get_table_names()
    except sa.exc.SQLAlchemyError:
        return False


def _other_schema(name: str, kind: str, at: str, newest: str) -> Finding:
    if not at:
        return problem(name, f"{kind} answers, but has no tables yet", _INIT_DB)
    if at > newest:  # revisions are numbers: 0001, 0002, …
        text = f"the {kind} schema is newer ({at}) than this release ({newest})"
        return warning(name, text, "A release was rolled back? Then all is well.")
    return problem(name, f"the {kind} schema is {at}, this release needs {newest}", _INIT_DB)
