"""`otp unlock`, and what commands share: every home, a question first, the audit trail."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click
import sqlalchemy as sa
from flask import current_app
from flask.cli import with_appcontext

from otp_service.cli.parameters import Phone, codes
from otp_service.domain.errors import HomeUnreachable
from otp_service.domain.phone import mask
from otp_service.storage import phones
from otp_service.storage.models.base import engines_of
from otp_service.storage.sql import audit


class TryLater(click.ClickException):
    """Its exit code is EX_TEMPFAIL (sysexits.h)."""

    exit_code = 75


def confirm(question: str, done: str) -> None:
    """Or end: with 1 for no, when nothing is ``done``; with 2 where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask on. To go on without, give --yes.")
    if not click.confirm(question):
        raise click.ClickException(f"nothing is {done}")


def homes() -> Iterator[tuple[str, sa.Engine]]:
    """Every home by name; what is done in one is told from what is done in the other."""
    yield from zip(("database", "fallback"), engines_of(current_app), strict=False)


def record(action: audit.Action, phone: str, detail: str | None = None) -> None:
    """An audit entry about a phone, in the first home that can be reached."""
    engines = engines_of(current_app)
    digest = codes(current_app).pseudonyms("phone", phone)[0]
    facts = {"phone": phone, "phone_digest": digest, "detail": detail}
    for engine in engines:
        try:
            return audit.record(engine, actor=audit.operator(), action=action, **facts)
        except HomeUnreachable:
            if engine is engines[-1]:
                raise
    return None


@click.command()
@click.argument("number", type=Phone())
@with_appcontext
def unlock(number: str) -> None:
    """Let a phone NUMBER that met a limit go on.

    Messages sent and guesses made so far count no more: this ends every limit on the phone itself,
    and the lock after too many wrong guesses in a row. Codes
    stay as they are: whose guesses are used up needs a new one.

    Example: ./otp unlock +919876543210
    """
    done = []
    for name, engine in homes():
        try:
            phones.unlock(engine, number)
        except HomeUnreachable:
            click.echo(f"The {name} can't be reached: nothing is unlocked there.", err=True)
        else:
            done.append(name)
    if not done:
        raise HomeUnreachable("none of them answers")
    record("phone.unlocked", number, ", ".join(done))
    click.echo(f"{mask(number)} is unlocked ({', '.join(done)}).")
