"""`otp void`: after a restore, what was issued before it."""

from __future__ import annotations

from datetime import datetime, timedelta

import click
from flask import current_app
from flask.cli import with_appcontext

from otp_service.cli.parameters import Moment
from otp_service.cli.support import TryLater, confirm
from otp_service.domain.errors import HomeUnreachable
from otp_service.storage import void
from otp_service.storage.models.base import engines_of
from otp_service.storage.sql import audit
from otp_service.web.fields import rfc3339
from otp_service.wording import counted


@click.command("void")
@click.option(
    "--issued-before",
    "asked",
    type=Moment(),
    default="now",
    show_default=True,
    help="Such as 2026-11-28T18:30:00Z, or 10m for so long ago.",
)
@click.option("--yes", is_flag=True, help="Don't ask, for scripts.")
@with_appcontext
def void_codes(asked: datetime | timedelta, yes: bool) -> None:
    """Let codes that are out verify no more.

    For after a restore: what was used since the backup looks unused again. All verifications that
    began before the time are canceled, in every home that this machine reaches; who waits for a
    code asks for another. It is safe while servers run, and to repeat.

    Ends with 75 if a database can't be reached at the moment: then nothing is void there.

    Example: ./otp void --issued-before 10m
    """
    if not yes:
        confirm("Void the codes that are out? Whoever waits for one needs another.", "void")
    voided, before = 0, None
    for engine in reversed(engines_of(current_app)):  # the fallback first: it is always there
        try:
            before = void.moment(engine, asked)
            here = void.void(engine, before)
            detail = f"{here}, issued before {rfc3339(before)}"
            audit.record(
                engine, actor=audit.operator(), action="verifications.voided", detail=detail
            )
        except HomeUnreachable as failure:
            text = f"the {engine.dialect.name} database is away: {failure.reason}"
            raise TryLater(f"{text}\n  Nothing is void there: run it again.") from None
        voided += here
    assert before  # there is one home at least
    click.echo(f"{counted(voided, 'verification')} issued before {rfc3339(before)} voided.")
