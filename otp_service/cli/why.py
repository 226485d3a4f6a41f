"""`otp why`: what keeps a phone from a code."""

from __future__ import annotations

import click
import sqlalchemy as sa
from flask import current_app
from flask.cli import with_appcontext

from otp_service.cli import phone_report
from otp_service.cli.parameters import Address, Phone, Purpose
from otp_service.cli.support import homes, record
from otp_service.domain.errors import HomeUnreachable
from otp_service.domain.phone import known
from otp_service.settings import Settings, settings_of
from otp_service.storage import phones

Question = dict[str, str | int | None]


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
    question = _question(number, purpose, client_ip, settings)
    reachable = [_show_home(name, engine, question) for name, engine in homes()]
    if not any(reachable):
        raise HomeUnreachable("none of them answers")
    record("phone.explained", number)


def _show_home(name: str, engine: sa.Engine, question: Question) -> bool:
    """Whether it could be asked."""
    settings = settings_of(current_app)
    limits = settings.limits.shared_by(settings.instance_count if name == "fallback" else 1)
    try:
        report = phones.report(engine, limits, **question)
    except HomeUnreachable:
        click.echo(f"\n{name}: can't be reached")
        return False
    phone_report.show(name, report, settings, address_asked=question["address"] is not None)
    return True


def _question(phone: str, purpose: str, address: str | None, settings: Settings) -> Question:
    """What `phones.report` is asked; a test number has neither prefix nor country."""
    question: Question = {"phone": phone, "purpose": purpose, "address": address}
    question |= {"prefix": None, "country": None, "lifetime": settings.expiry}
    question |= {"max_attempts": settings.max_attempts, "exempt": phone in settings.test_numbers}
    if phone not in settings.test_numbers:
        where = known(phone)
        question |= {"prefix": where.prefix, "country": where.country}
    return question
