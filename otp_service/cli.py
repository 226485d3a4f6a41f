"""`flask --app wsgi otp …`: what an operator does by hand."""

from __future__ import annotations

from typing import Any

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import AppGroup

from otp_service.domain.errors import InvalidPhoneNumber, StorageUnavailable
from otp_service.domain.phone import mask, normalize
from otp_service.settings import settings_of
from otp_service.storage import api_keys, retention, schema
from otp_service.storage.models import db
from otp_service.storage.transaction import describe
from otp_service.web.auth import SCOPES

_NO_DATABASE = "the database can't be reached or refuses: see the log line above"


class _Commands(AppGroup):
    """Commands that end plainly, with exit code 1, when the database does not do its part."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except StorageUnavailable:
            raise click.ClickException(_NO_DATABASE) from None


otp = _Commands("otp", help="Run and look after the OTP service.")
keys = AppGroup("keys", help="API keys: who may call.")
otp.add_command(keys)


def init_app(app: Flask) -> None:
    app.cli.add_command(otp)


@otp.command("init-db")
def init_db() -> None:
    """Create or upgrade the schema. Safe to repeat, and by several at once.

    Example: flask --app wsgi otp init-db
    """
    try:
        schema.upgrade(db.engine)
    except sa.exc.SQLAlchemyError as error:
        raise click.ClickException(f"the database refused: {describe(error)}") from None
    click.echo(f"The schema is up to date ({db.engine.dialect.name}).")


@otp.command()
def cleanup() -> None:
    """Mark expired verifications; delete those older than OTP_RETENTION_DAYS.

    Example: flask --app wsgi otp cleanup
    """
    expired, deleted = retention.cleanup(db.engine, settings_of(current_app).retention_days)
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
    erased = retention.erase(db.engine, phone)
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
