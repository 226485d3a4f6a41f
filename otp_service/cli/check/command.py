"""`./otp check`: what is missing or wrong, and a code that is really sent."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import current_app
from flask.cli import with_appcontext

from otp_service.cli import check as diagnosis
from otp_service.cli.check.findings import Finding, Mark
from otp_service.cli.check.screen import Screen, shown, summarize
from otp_service.cli.check.template_fit import BUTTON
from otp_service.cli.check.trial import CLIENT, PURPOSE, Trial
from otp_service.domain.errors import InvalidPhoneNumber
from otp_service.domain.phone import mask, read
from otp_service.domain.sending import AUTO
from otp_service.domain.verification import Channel, Person
from otp_service.settings import settings_of
from otp_service.web.dependencies import dependencies_of

_PRESS = (
    "Press the message's copy-code button and paste: if that gives anything but the code, set "
    "GUPSHUP_OTP_PARAM_COUNT=2."
)


@click.command()
@click.option("--send", "number", metavar="+NUMBER", help="Send a real code to this phone, too.")
@click.option(
    "--channel",
    type=click.Choice([*(channel.value for channel in Channel), AUTO]),
    help="How to send it.  [default: whatsapp]",
)
@click.option(
    "--wait",
    type=click.FloatRange(1, 600),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for its receipts.",
)
@click.pass_context
@with_appcontext
def check(ctx: click.Context, number: str | None, channel: str | None, wait: float) -> None:
    """Say what is missing or wrong, one line for each check.

    Looks at the settings, the databases, the API keys and the providers; asks Meta and (with
    GUPSHUP_APP_ID) Gupshup for the template, shows what they told, and changes nothing. Ends with
    0 if there is no problem, warnings or not, and with 1 if there is one.

    With --send one message is really sent, and paid for. Receipts come to a running server, so
    let one run on the same database; while it waits, this command works as a worker, too.

    \b
    Example: ./otp check
    Example: ./otp check --send +919876543210
    Example: ./otp check --send +919876543210 --channel auto --wait 120
    """
    if channel and not number:
        raise click.UsageError("--channel is for --send +NUMBER")
    person = _person(number) if number else None
    with _quiet():
        found = list(shown(diagnosis.findings(current_app)))
        if person:
            found += _try(person, channel or Channel.WHATSAPP.value, wait, found)
    summarize(found)
    ctx.exit(int(any(each.mark is Mark.PROBLEM for each in found)))


def _person(number: str) -> Person:
    try:
        phone = read(number, settings_of(current_app).numbering).e164
    except InvalidPhoneNumber as error:
        raise click.UsageError(f"No phone number: {error.explanation}") from None
    return Person(CLIENT, phone, PURPOSE)


def _try(person: Person, channel: str, wait: float, found: list[Finding]) -> list[Finding]:
    dependencies, settings = dependencies_of(current_app), settings_of(current_app)
    screen = Screen(wait)
    click.echo(f"\nSending a code to {mask(person.phone)} ({channel}).")
    click.echo("Its receipts come to the running server's webhook.")
    trial = Trial(
        service=dependencies.service,
        worker=dependencies.worker,
        person=person,
        channel=channel,
        wait=wait,
        has_sms=not settings.sms.missing,
        watcher=screen,
    )
    came = []
    for finding in trial.run():
        screen.clear()
        came += list(shown([finding]))
    counts = [each.mark for each in found if each.subject.startswith(BUTTON)]
    certain = counts and set(counts) == {Mark.OK}
    if "(whatsapp through gupshup)" in screen.text and not certain:
        click.echo(_PRESS)
    if screen.text:
        click.echo("The verification is canceled: its code is of no use.")
    return came


@contextmanager
def _quiet() -> Iterator[None]:
    """What the service logs of the same troubles would be told twice."""
    log = logging.getLogger("otp_service")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(level)
