"""`./otp …`: what an operator does by hand."""

from __future__ import annotations

import logging
import signal
import sys

import click
import sqlalchemy as sa
from flask import Flask, current_app

from otp_service.cli.audit import show_audit
from otp_service.cli.check.command import check
from otp_service.cli.group import Commands
from otp_service.cli.keys import keys
from otp_service.cli.parameters import Phone
from otp_service.cli.support import record, unlock, why
from otp_service.domain.errors import HomeUnreachable, StorageUnavailable
from otp_service.domain.phone import mask
from otp_service.observability import log_setup
from otp_service.settings import settings_of
from otp_service.storage import retention, schema
from otp_service.storage.db.failures import failure_of
from otp_service.storage.models.base import engines_of
from otp_service.web.dependencies import dependencies_of
from otp_service.wording import counted

log = logging.getLogger(__name__)


class _TryLater(click.ClickException):
    """Its exit code is EX_TEMPFAIL (sysexits.h)."""

    exit_code = 75


otp = Commands("otp", help="Run and look after the OTP service.")
otp.add_command(keys)
otp.add_command(check)
for command in (why, unlock, show_audit):
    otp.add_command(command)


def init_app(app: Flask) -> None:
    app.cli.add_command(otp)


@otp.command("init-db")
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
            told = "\n  ".join(filter(None, [text, failure.advice]))
            raise (_TryLater if away else click.ClickException)(told) from None
        click.echo(f"The schema is up to date ({kind}).")


@otp.command()
def worker() -> None:
    """Send what waits, settle receipts and clean up.

    Runs until SIGTERM or Ctrl-C. Each server process does the same by itself, unless
    OTP_WORKER=off: then one or more of these are needed, or no message is sent with Prefer:
    respond-async, none is tried again or followed by an SMS, and no receipt is settled. Any number
    may run. What is in hand is finished before it ends, with exit code 0.

    Example: ./otp worker
    """
    if any(map(schema.is_behind, engines_of(current_app))):
        raise StorageUnavailable("tables of this release are missing")
    log_setup.follow(settings_of(current_app))
    work = dependencies_of(current_app).worker  # and not `start`, which is for what serves
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, work.stop)
    log.info("the worker runs")
    work.run()
    log.info("the worker has ended")


@otp.command()
def cleanup() -> None:
    """Mark what has expired, and delete what is old.

    Old is what began more than OTP_RETENTION_DAYS ago. The worker does both every hour.

    Example: ./otp cleanup
    """
    days = settings_of(current_app).retention_days
    done = [retention.cleanup(engine, days) for engine in reversed(engines_of(current_app))]
    expired, deleted = (sum(counts) for counts in zip(*done, strict=True))
    click.echo(f"{expired} marked as expired, {deleted} deleted.")


@otp.command()
@click.argument("number", type=Phone())
@click.option("--yes", is_flag=True, help="Don't ask, for scripts.")
def erase(number: str, yes: bool) -> None:
    """Delete all that is known of a phone NUMBER.

    Asks before it does. What is deleted can't be brought back; the audit trail keeps what was done,
    under the number's last digits and a pseudonym.

    Example: ./otp erase +919876543210
    """
    if not yes:
        _confirm(f"Delete all that is known of {mask(number)}? It can't be brought back.")
    erased = sum(retention.erase(engine, number) for engine in reversed(engines_of(current_app)))
    what = counted(erased, "verification")
    record("phone.erased", number, what)
    click.echo(f"{what} of {mask(number)} erased, with codes and messages.")


def _confirm(question: str) -> None:
    """Or end: with 1 for no, with 2 where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask on. To go on without, give --yes.")
    if not click.confirm(question):
        raise click.ClickException("nothing is deleted")
