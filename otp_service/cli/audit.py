"""`otp audit`: who did what."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from otp_service.cli.output import show_table
from otp_service.cli.parameters import Action, Ago, Phone, Verification, codes
from otp_service.cli.support import homes
from otp_service.domain.errors import HomeUnreachable
from otp_service.storage.db.answer import Row
from otp_service.storage.models.base import engines_of
from otp_service.storage.sql import audit
from otp_service.web.fields import rfc3339


@click.command("audit")
@click.option("--phone", type=Phone(), help="Of this phone only.")
@click.option(
    "--verification",
    "verification_id",
    type=Verification(),
    metavar="ID",
    help="Of this verification only.",
)
@click.option("--actor", metavar="NAME", help="By this client, or operator:NAME.")
@click.option("--action", type=Action(), help="Such as verification.checked or key.revoked.")
@click.option(
    "--since", "seconds", type=Ago(), default="7d", show_default=True, help="How far back."
)
@click.option(
    "--count",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    metavar="N",
    help="How many, the newest.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
@with_appcontext
def show_audit(phone: str | None, count: int, as_json: bool, **filters: Any) -> None:
    """Show who did what to a verification, key or phone, oldest first.

    Example: ./otp audit --phone +919876543210 --since 2d
    """
    digests = codes(current_app).pseudonyms("phone", phone) if phone else ()
    entries: list[dict[str, Any]] = []
    missing = []
    for name, engine in homes():
        try:
            found = audit.find(engine, count=count, phone_digests=digests, **filters)
        except HomeUnreachable:
            missing.append(name)
        else:
            entries += [_entry(row) for row in found]
    _tell_missing(missing)
    newest = sorted(entries, key=lambda entry: str(entry["at"]))[-count:]
    if as_json:
        for entry in newest:
            click.echo(json.dumps({name: value for name, value in entry.items() if value}))
    elif newest:
        show_table(list(newest[0]), [list(entry.values()) for entry in newest])
    else:
        click.echo("No entries match in that time; --since looks further back.")


def _tell_missing(names: list[str]) -> None:
    if len(names) == len(engines_of(current_app)):
        raise HomeUnreachable("none of them answers")
    for name in names:
        click.echo(f"The {name} can't be reached: its entries are missing here.", err=True)


def _entry(row: Row) -> dict[str, Any]:
    at: datetime = row.at
    phone = row.phone and row.phone.replace("*", "•")  # as it is written everywhere else
    who_did_what = {"actor": row.actor, "action": row.action}
    to_what = {"verification_id": row.verification_id, "phone": phone, "detail": row.detail}
    return {"at": rfc3339(at)} | who_did_what | to_what
