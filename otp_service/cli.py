"""`flask --app wsgi otp …`: what an operator does by hand."""

from __future__ import annotations

import logging
import signal
from typing import Any

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import AppGroup

from otp_service import logs
from otp_service.cli_check import check
from otp_service.cli_keys import keys
from otp_service.cli_support import Phone, record, show_audit, unlock, why
from otp_service.domain.errors import HomeUnreachable, StorageUnavailable
from otp_service.domain.phone import mask
from otp_service.settings import settings_of
from otp_service.storage import retention, schema
from otp_service.storage.models import engines_of
from otp_service.storage.transaction import failure_of
from otp_service.web.parts import parts_of

log = logging.getLogger(__name__)


class _Commands(AppGroup):
    """Commands that end plainly, with exit code 1, when the database does not do its part."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except StorageUnavailable as failure:
            text = f"the database can't be reached or refuses: {failure.reason}"
            raise click.ClickException(text) from None


class _TryLater(click.ClickException):
    """Its exit code is EX_TEMPFAIL (sysexits.h)."""

    exit_code = 75


otp = _Commands("otp", help="Run and look after the OTP service.")
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

    Example: flask --app wsgi otp init-db
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
            raise (_TryLater if away else click.ClickException)(text) from None
        click.echo(f"The schema is up to date ({kind}).")


@otp.command()
def worker() -> None:
    """Send what waits, settle receipts and clean up, until SIGTERM or Ctrl-C.

    Each server process does that by itself, unless OTP_WORKER=off: then one or more of these are
    needed, or no message is sent with Prefer: respond-async, none is tried again or followed by
    an SMS, and no receipt is settled. Any number may run. What is in hand is finished before it
    ends, with exit code 0.

    Example: flask --app wsgi otp worker
    """
    logs.follow(settings_of(current_app))
    work = parts_of(current_app).worker  # and not `start`, which is for what serves
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, work.stop)
    log.info("the worker runs")
    work.run()
    log.info("the worker has ended")


@otp.command()
def cleanup() -> None:
    """Mark expired verifications; delete those older than OTP_RETENTION_DAYS.

    Example: flask --app wsgi otp cleanup
    """
    days = settings_of(current_app).retention_days
    done = [retention.cleanup(engine, days) for engine in reversed(engines_of(current_app))]
    expired, deleted = (sum(counts) for counts in zip(*done, strict=True))
    click.echo(f"{expired} marked as expired, {deleted} deleted.")


@otp.command()
@click.argument("number", type=Phone())
def erase(number: str) -> None:
    """Delete all that is known of a phone NUMBER, such as +919876543210.

    The audit trail keeps what was done, under the number's last digits and a pseudonym.

    Example: flask --app wsgi otp erase +919876543210
    """
    erased = sum(retention.erase(engine, number) for engine in reversed(engines_of(current_app)))
    record("phone.erased", number, f"{erased} verification(s)")
    click.echo(f"{erased} verification(s) of {mask(number)} erased, with codes and messages.")
