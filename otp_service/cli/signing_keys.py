"""`otp keys signing …`: the keys that sign proofs of a verification."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from otp_service.cli.output import minute, show_table
from otp_service.cli.schema import make_schema, record_change
from otp_service.proofs import keys
from otp_service.settings import settings_of
from otp_service.storage import signing_keys
from otp_service.storage.models.base import db
from otp_service.storage.models.keys import SigningKeyRow
from otp_service.storage.sql.signing_keys import ALL

signing_group = AppGroup("signing", help="The keys that sign proofs of a verification.")


@signing_group.command("list")
def list_signing_keys() -> None:
    """Show the keys that sign proofs, oldest first.

    And which of them signs now; times are UTC.

    Example: ./otp keys signing list
    """
    found = signing_keys.everything(db.engine, settings_of(current_app).secrets)
    if not found:
        click.echo("No signing keys yet. With OTP_PROOF on, the service makes the first by itself.")
        return
    table = []
    for key in found:
        state = keys.state(key, found, keys.utc_now())
        table.append((key.kid, state, minute(key.signs_from)))
    show_table(("kid", "state", "signs from"), table)


@signing_group.command("rotate")
def rotate_signing_key() -> None:
    """Make the next key. It is published within seconds and signs in 10 minutes.

    The key that it replaces stays published until its last proof has ended. If no key can sign,
    the new one does at once.

    Example: ./otp keys signing rotate
    """
    make_schema(current_app)
    made = signing_keys.rotate(db.engine, settings_of(current_app).secrets)
    click.echo(f"{made.kid} signs from {minute(made.signs_from)} UTC.")
    record_change("signing_key.created", made.kid, SigningKeyRow, ALL)


@signing_group.command("revoke", context_settings={"ignore_unknown_options": True})
@click.argument("kid")
def revoke_signing_key(kid: str) -> None:
    """Withdraw the key KID, for one that has leaked.

    Within 3 seconds no process signs with it.

    Proofs that it signed are refused as soon as verifiers have read the keys again. If it is the
    one that signs, another one does at once: the next, the one before if that is still published,
    or one that is made.

    Example: ./otp keys signing revoke kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
    """
    if not signing_keys.revoke(db.engine, kid):
        raise click.ClickException(f"there is no signing key {kid!r}")
    click.echo(f"{kid} is revoked.")
    record_change("signing_key.revoked", kid, SigningKeyRow, ALL)
