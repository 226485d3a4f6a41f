"""`otp init-db`, `otp cleanup`, `otp erase`: what is done to every home."""

from __future__ import annotations

import click
import sqlalchemy as sa
from flask import current_app
from flask.cli import with_appcontext

from otp_service.cli.parameters import Phone
from otp_service.cli.support import TryLater, confirm, record
from otp_service.domain.errors import HomeUnreachable
from otp_service.domain.phone import mask
from otp_service.settings import settings_of
from otp_service.storage import retention, schema
from otp_service.storage.db.failures import failure_of
from otp_service.storage.models.base import engines_of
from otp_service.wording import counted


@click.command("init-db")
@with_appcontext
def init_db() -> None:
    """Create or upgrade the schema in every home. Safe to repeat, and by several at once.

    Ends with 75 if a database can't be reached at the moment, with 1 if it refuses.

    Example: ./otp init-db
    """
    for engine in reversed(engines_of(current_app)):  # the fallback first: it is always there
        kind = engine.dialect.name
        try:
            schema.upgrade(engine)
        except schema.SchemaIsNewer:  # a release was rolled back: see "Upgrades only add"
            click.echo(f"The schema is newer than this release: left as it is ({kind}).")
            continue
        except sa.exc.SQLAlchemyError as error:
            failure = failure_of(error)
            away = isinstance(failure, HomeUnreachable)
            text = f"the {kind} database {'is away' if away else 'refused'}: {failure.reason}"
            lines = "\n  ".join(filter(None, [text, failure.advice]))
            raise (TryLater if away else click.ClickException)(lines) from None
        click.echo(f"The schema is up to date ({kind}).")


@click.command()
@with_appcontext
def cleanup() -> None:
    """Mark what has expired, and delete what is old.

    Old is what began more than OTP_RETENTION_DAYS ago. The worker does both every hour.

    Example: ./otp cleanup
    """
    days = settings_of(current_app).retention_days
    done = [retention.cleanup(engine, days) for engine in reversed(engines_of(current_app))]
    expired, deleted = (sum(counts) for counts in zip(*done, strict=True))
    click.echo(f"{expired} marked as expired, {deleted} deleted.")


@click.command()
@click.argument("number", type=Phone())
@click.option("--yes", is_flag=True, help="Don't ask, for scripts.")
@with_appcontext
def erase(number: str, yes: bool) -> None:
    """Delete all that is known of a phone NUMBER.

    Asks before it does. What is deleted can't be brought back; the audit trail keeps what was done,
    under the number's last digits and a pseudonym.

    Example: ./otp erase +919876543210
    """
    if not yes:
        question = f"Delete all that is known of {mask(number)}? It can't be brought back."
        confirm(question, "deleted")
    erased = sum(retention.erase(engine, number) for engine in reversed(engines_of(current_app)))
    what = counted(erased, "verification")
    record("phone.erased", number, what)
    click.echo(f"{what} of {mask(number)} erased, with codes and messages.")
