"""`flask --app wsgi otp …`: what an operator does by hand."""

from __future__ import annotations

import logging
import signal
from typing import Any

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import AppGroup

from otp_service.cli_check import check
from otp_service.domain.errors import HomeUnreachable, InvalidPhoneNumber, StorageUnavailable
from otp_service.domain.phone import mask, normalize
from otp_service.settings import settings_of
from otp_service.storage import api_keys, retention, schema
from otp_service.storage.models import db, engines_of
from otp_service.storage.transaction import failure_of
from otp_service.web.auth import SCOPES
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
keys = AppGroup("keys", help="API keys: who may call.")
otp.add_command(keys)
otp.add_command(check)


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
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
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
@click.argument("number")
def erase(number: str) -> None:
    """Delete all that is known of a phone NUMBER, such as +919876543210.

    Example: flask --app wsgi otp erase +919876543210
    """
    try:
        phone = normalize(number, settings_of(current_app).test_numbers)
    except InvalidPhoneNumber:
        raise click.UsageError("NUMBER must be international, such as +919876543210") from None
    erased = sum(retention.erase(engine, phone) for engine in reversed(engines_of(current_app)))
    click.echo(f"{erased} verification(s) of {mask(phone)} erased, with codes and messages.")


@keys.command("create")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    help="What the key may do; give it several times for several. [default: otp and read]",
)
def create_key(name: str, scopes: tuple[str, ...]) -> None:
    """Make an API key for the client NAME, and show it this once.

    Example: flask --app wsgi otp keys create shop --scope otp --scope read
    """
    if not name.strip() or len(name) > 64 or not name.isprintable():
        raise click.UsageError("NAME must be 1 to 64 printable characters")
    key = api_keys.create(db.engine, name, list(scopes or ("otp", "read")))
    if key is None:
        raise click.ClickException(f"there is a key named {name!r} already")
    click.echo(key)
    click.echo("Keep it now: it is stored hashed and can't be shown again.", err=True)


@keys.command("list")
def list_keys() -> None:
    """Show the keys that exist, without their secrets."""
    for row in api_keys.everything(db.engine):
        state = "revoked" if row.revoked_at else "active"
        click.echo(f"{row.name}\t{state}\t{row.scopes}\tcreated {row.created_at:%Y-%m-%d}")


@keys.command("revoke")
@click.argument("name")
def revoke_key(name: str) -> None:
    """End the key of the client NAME: within seconds no process accepts it.

    Example: flask --app wsgi otp keys revoke shop
    """
    found = api_keys.revoke(db.engine, name)
    if not found:
        raise click.ClickException(f"there is no key named {name!r}")
    click.echo(f"{name} is revoked.")
