"""Where the databases are: `DATABASE_URL` and `FALLBACK_DATABASE_URL`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from otp_service.environment import Reader
from otp_service.settings import postgres_url


@dataclass(frozen=True)
class DatabaseSettings:
    """``fallback_url`` is where codes are issued while Postgres is away; None for nowhere."""

    database_url: str = field(repr=False)
    fallback_url: str | None = field(repr=False)
    instance_count: int
    retention_days: int


def read_databases(read: Reader, instance: Path) -> DatabaseSettings:
    database = _database_url(read, instance)
    return DatabaseSettings(
        database_url=database,
        fallback_url=_fallback_url(read, database, instance),
        instance_count=read.number(
            "INSTANCE_COUNT", "Machines that have a fallback each", 1, 1, 1000
        ),
        retention_days=read.number(
            "OTP_RETENTION_DAYS", "How many days verifications are kept", 30, 1, 3650
        ),
    )


def _database_url(read: Reader, instance: Path) -> str:
    given = read.text("DATABASE_URL", "Where verifications are kept: Postgres, or a SQLite file")
    if not given and read.given("SUPABASE_URL"):
        read.warnings.append(
            "SUPABASE_URL is not used: set DATABASE_URL to the connection string that Supabase "
            "shows under Connect; until then codes are kept in a local SQLite file"
        )
    text = given or f"sqlite:///{instance / 'otp.db'}"
    if (postgres := postgres_url.read_url(read, text)) is not None:
        return postgres
    url = _parsed(text)
    if url.drivername != "sqlite":
        read.problems.append(f"DATABASE_URL must be {postgres_url.FORMS}")
    elif not _names_a_file(url):
        read.problems.append("DATABASE_URL must name a file: sqlite:///FILE (codes outlive us)")
    return text


def _fallback_url(read: Reader, database: str, instance: Path) -> str | None:
    text = read.text("FALLBACK_DATABASE_URL", "Where codes are issued while Postgres is away")
    if database.startswith("sqlite"):
        if text and text.lower() != "off":
            read.warnings.append("FALLBACK_DATABASE_URL is not used: DATABASE_URL is a local file")
        return None
    if text.lower() == "off":
        return None
    url = _parsed(text or f"sqlite:///{instance / 'fallback.db'}")
    if url.drivername != "sqlite" or not _names_a_file(url):
        read.problems.append("FALLBACK_DATABASE_URL must be sqlite:///FILE, or off")
    return url.render_as_string(hide_password=False)


def _parsed(text: str) -> sa.URL:
    try:
        return sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        return sa.URL.create("none")


def _names_a_file(url: sa.URL) -> bool:
    return url.database not in (None, "", ":memory:")
