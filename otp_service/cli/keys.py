"""`otp keys …`: who may call, and what signs proofs."""

from __future__ import annotations

import sys

import click
from flask import current_app
from flask.cli import AppGroup

from otp_service.cli.output import minute, show_table
from otp_service.cli.schema import make_schema, record_change
from otp_service.cli.signing_keys import signing_group
from otp_service.storage import api_keys
from otp_service.storage.api_keys import HOLDERS
from otp_service.storage.models.base import db
from otp_service.storage.models.keys import ApiKeyRow
from otp_service.web.auth import SCOPES

keys = AppGroup("keys", help="Say who may call, and which keys sign proofs.")
keys.add_command(signing_group)


@keys.command("create")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    help="What the key may do; give it several times for several. [default: what the client's "
    "newest key may, for a new client otp and read]",
)
def create_key(name: str, scopes: tuple[str, ...]) -> None:
    """Make an API key for the client NAME, and show it this once.

    For a client that has one it is another: both hold until one is revoked, so that keys are
    replaced without a gap. A client has two at most.

    Example: ./otp keys create shop --scope otp --scope read
    """
    if sys.stdout is None:  # closed: nobody would ever know the key
        raise click.ClickException("there is no standard output to show the key on")
    make_schema(current_app)
    try:
        key = api_keys.create(db.engine, name, scopes)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if key is None:
        raise click.ClickException(
            f"{name} has {api_keys.MOST} keys that hold, which is the most. See `./otp keys list`, "
            f"and revoke one: ./otp keys revoke {name} --key ID"
        )
    made = api_keys.key_id(api_keys.digest(key))
    # Before it is shown: that may fail.
    record_change("key.created", f"{name} {made}", ApiKeyRow, HOLDERS)
    click.echo(key)
    click.echo(
        f"Keep it now: it is stored hashed and can't be shown again. Its id is {made}.", err=True
    )


@keys.command("list")
def list_keys() -> None:
    """Show the keys that exist, and when each was last used.

    Without their secrets; times are UTC.

    Example: ./otp keys list
    """
    found = api_keys.everything(db.engine)
    if not found:
        click.echo("No keys yet. Make one with: ./otp keys create NAME")
        return
    table = []
    for row in found:
        state = "revoked" if row.revoked_at else "active"
        used = minute(row.last_used_at) if row.last_used_at else "never"
        scopes, created = row.scopes.replace(" ", ","), f"{row.created_at:%Y-%m-%d}"
        key = api_keys.key_id(row.digest)
        table.append((row.name, key, state, scopes, created, used))
    show_table(("name", "id", "state", "scopes", "created", "last used"), table)


@keys.command("revoke")
@click.argument("name")
@click.option("--key", metavar="ID", help="This one only, by its id in `list`. [default: all]")
def revoke_key(name: str, key: str | None) -> None:
    """End the keys of the client NAME, or one of them.

    Within 3 seconds no process accepts them.

    Example: ./otp keys revoke shop --key 3f9a01bc
    """
    if not api_keys.revoke(db.engine, name, key):
        of_id = f" with the id {key!r}" if key else ""
        raise click.ClickException(f"{name!r} has no key{of_id}: see ./otp keys list")
    click.echo(f"{name}: the key {key} is revoked." if key else f"{name} is revoked.")
    detail = f"{name} {key}" if key else name
    record_change("key.revoked", detail, ApiKeyRow, HOLDERS)
