"""`otp why`, `otp unlock`: what the support desk asks of one phone."""

from __future__ import annotations

from collections.abc import Iterator

import click
import sqlalchemy as sa
from flask import current_app
from flask.cli import with_appcontext

from otp_service.cli import why as phone_report
from otp_service.cli.parameters import Address, Phone, Purpose, codes
from otp_service.domain.errors import HomeUnreachable
from otp_service.domain.phone import mask
from otp_service.settings import settings_of
from otp_service.storage import phones
from otp_service.storage.models.base import engines_of
from otp_service.storage.sql import audit


def homes() -> Iterator[tuple[str, sa.Engine]]:
    """Every home by name; what is done in one is told from what is done in the other."""
    yield from zip(("database", "fallback"), engines_of(current_app), strict=False)


def record(action: audit.Action, phone: str, detail: str | None = None) -> None:
    """An audit entry about a phone, in the first home that can be reached."""
    engines = engines_of(current_app)
    digest = codes(current_app).pseudonyms("phone", phone)[0]
    told = {"phone": phone, "phone_digest": digest, "detail": detail}
    for engine in engines:
        try:
            return audit.record(engine, actor=audit.operator(), action=action, **told)
        except HomeUnreachable:
            if engine is engines[-1]:
                raise
    return None


@click.command()
@click.argument("number", type=Phone())
@click.option(
    "--purpose", type=Purpose(), default="login", show_default=True, help="What is being proved."
)
@click.option("--client-ip", type=Address(), help="The end user's, if your calls pass it on.")
@with_appcontext
def why(number: str, purpose: str, client_ip: str | None) -> None:
    """Tell what keeps a phone NUMBER from a code, and until when.

    Looks at destination rules, every limit, locks, what is known of its WhatsApp, its newest
    verifications, and what became of its newest messages and why. Changes nothing but the audit
    trail.

    Example: ./otp why +919876543210
    """
    settings = settings_of(current_app)
    phone_report.show_destination(number, settings)
    asked = phone_report.question(number, purpose, client_ip, settings)
    reachable = [_show_home(name, engine, asked) for name, engine in homes()]
    if not any(reachable):
        raise HomeUnreachable("none of them answers")
    record("phone.explained", number)


def _show_home(name: str, engine: sa.Engine, asked: phone_report.Question) -> bool:
    """Whether it could be asked."""
    settings = settings_of(current_app)
    limits = settings.limits.shared_by(settings.instance_count if name == "fallback" else 1)
    try:
        report = phones.report(engine, limits, **asked)
    except HomeUnreachable:
        click.echo(f"\n{name}: can't be reached")
        return False
    phone_report.show(name, report, settings, address_asked=asked["address"] is not None)
    return True


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
