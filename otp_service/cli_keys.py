"""`otp keys …`: who may call, and what signs proofs."""

from __future__ import annotations

from datetime import datetime, timezone

import click
from flask import current_app
from flask.cli import AppGroup

from otp_service import signing
from otp_service.settings import settings_of
from otp_service.storage import api_keys, audit, signing_keys
from otp_service.storage.models import db
from otp_service.web.auth import SCOPES

keys = AppGroup("keys", help="API keys: who may call. And the keys that sign proofs.")
signing_group = AppGroup("signing", help="The keys that sign proofs of a verification.")
keys.add_command(signing_group)


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
    _record("key.created", name)


@keys.command("list")
def list_keys() -> None:
    """Show the keys that exist, without their secrets, and when each was last used (UTC).

    Example: flask --app wsgi otp keys list
    """
    for row in api_keys.everything(db.engine):
        state = "revoked" if row.revoked_at else "active"
        used = f"last used {_minute(row.last_used_at)}" if row.last_used_at else "never used"
        click.echo(f"{row.name}\t{state}\t{row.scopes}\tcreated {row.created_at:%Y-%m-%d}\t{used}")


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
    _record("key.revoked", name)


@signing_group.command("list")
def list_signing_keys() -> None:
    """Show the keys that sign proofs, oldest first, and which of them signs now (times in UTC).

    Example: flask --app wsgi otp keys signing list
    """
    found = signing_keys.everything(db.engine, settings_of(current_app).secrets)
    for key in found:
        state = signing.state(key, found, signing.utc_now())
        click.echo(f"{key.kid}\t{state}\tsigns from {_minute(key.signs_from)}")


@signing_group.command("rotate")
def rotate_signing_key() -> None:
    """Make the next key. It is published within seconds and signs in 10 minutes.

    The key that it replaces stays published until its last proof has ended. If no key can sign,
    the new one does at once.

    Example: flask --app wsgi otp keys signing rotate
    """
    made = signing_keys.rotate(db.engine, settings_of(current_app).secrets)
    click.echo(f"{made.kid} signs from {_minute(made.signs_from)} UTC.")
    _record("signing_key.created", made.kid)


@signing_group.command("revoke", context_settings={"ignore_unknown_options": True})
@click.argument("kid")
def revoke_signing_key(kid: str) -> None:
    """Withdraw the key KID, for one that has leaked: within seconds it is not published any more.

    Proofs that it signed are refused as soon as verifiers have read the keys again. If it is the
    one that signs, another one does at once: the next, the one before if that is still published,
    or one that is made.

    Example: flask --app wsgi otp keys signing revoke kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
    """
    if not signing_keys.revoke(db.engine, kid):
        raise click.ClickException(f"there is no signing key {kid!r}")
    click.echo(f"{kid} is revoked.")
    _record("signing_key.revoked", kid)


def _minute(time: datetime) -> str:
    return f"{time.astimezone(timezone.utc):%Y-%m-%d %H:%M}"


def _record(action: audit.Action, detail: str) -> None:
    audit.record(db.engine, actor=audit.operator(), action=action, detail=detail)
