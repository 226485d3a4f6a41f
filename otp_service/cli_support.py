"""`otp why`, `otp unlock`, `otp audit`: what the support desk asks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import ScriptInfo, with_appcontext

from otp_service import phone_report
from otp_service.domain.codes import Codes
from otp_service.domain.destination import network_of
from otp_service.domain.errors import HomeUnreachable, InvalidPhoneNumber
from otp_service.domain.phone import mask, normalize
from otp_service.settings import settings_of
from otp_service.storage import audit, phones
from otp_service.storage.models import engines_of
from otp_service.web.schemas import rfc3339

_SECONDS = {"m": 60, "h": 3_600, "d": 86_400}


def _application(ctx: click.Context) -> Flask:
    """While arguments are read there is no application context yet."""
    return ctx.ensure_object(ScriptInfo).load_app()


class Phone(click.ParamType[str]):
    """A phone number in any international spelling, as E.164."""

    name = "number"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        try:
            return normalize(str(value), settings_of(_application(ctx)).numbering)
        except InvalidPhoneNumber as error:
            self.fail(f"No phone number: {error.explanation}", param, ctx)


class _Ago(click.ParamType[int]):
    """A time such as 30m, 12h or 7d, in seconds."""

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", str(value))
        if match is None:
            self.fail("must be such as 30m, 12h or 7d", param, ctx)
        return int(match[1]) * _SECONDS[match[2]]


class _Address(click.ParamType[str]):
    """An IP address, as the pseudonym that it is counted by."""

    name = "address"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        try:
            return codes(_application(ctx)).pseudonyms("address", network_of(str(value)))[0]
        except ValueError:
            self.fail("must be an IP address", param, ctx)


def codes(app: Flask) -> Codes:
    settings = settings_of(app)
    return Codes(settings.secrets, settings.code_length)


def homes() -> Iterator[tuple[str, sa.Engine]]:
    """Every home by name; what is done in one is told from what is done in the other."""
    yield from zip(("database", "fallback"), engines_of(current_app), strict=False)


def record(action: str, phone: str, detail: str | None = None) -> None:
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
@click.option("--purpose", default="login", show_default=True, help="What is being proved.")
@click.option("--client-ip", type=_Address(), help="The end user's, if your calls pass it on.")
@with_appcontext
def why(number: str, purpose: str, client_ip: str | None) -> None:
    """Tell what keeps a phone NUMBER from getting or using a code, and until when.

    Looks at destination rules, every limit, locks, what is known of its WhatsApp, and its newest
    verifications. Changes nothing but the audit trail.

    Example: flask --app wsgi otp why +919876543210
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
    """Let a phone NUMBER go on: messages sent and guesses made so far count no more.

    Ends every limit on the phone itself, and the lock after too many wrong guesses in a row. Codes
    stay as they are: whose guesses are used up needs a new one.

    Example: flask --app wsgi otp unlock +919876543210
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


@click.command("audit")
@click.option("--phone", type=Phone(), help="Of this phone only.")
@click.option("--verification", "verification_id", metavar="ID", help="Of this verification only.")
@click.option("--actor", help="By this client, or operator:NAME.")
@click.option("--action", help="Such as verification.checked or key.revoked.")
@click.option(
    "--since", "seconds", type=_Ago(), default="7d", show_default=True, help="How far back."
)
@click.option("--count", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
@with_appcontext
def show_audit(phone: str | None, count: int, as_json: bool, **asked: Any) -> None:
    """Show who did what to which verification, key or limit, oldest first.

    Example: flask --app wsgi otp audit --phone +919876543210 --since 2d
    """
    digests = codes(current_app).pseudonyms("phone", phone) if phone else ()
    entries: list[dict[str, Any]] = []
    for name, engine in homes():
        try:
            found = audit.find(engine, count=count, phone_digests=digests, **asked)
        except HomeUnreachable:
            click.echo(f"The {name} can't be reached: its entries are missing here.", err=True)
        else:
            entries += [_told(row) for row in found]
    for entry in sorted(entries, key=lambda entry: str(entry["at"]))[-count:]:
        shown = {name: value for name, value in entry.items() if value}
        click.echo(json.dumps(shown) if as_json else "  ".join(map(str, shown.values())))


def _told(row: sa.Row[Any]) -> dict[str, Any]:
    at: datetime = row.at
    phone = row.phone and row.phone.replace("*", "•")  # as it is written everywhere else
    who_did_what = {"actor": row.actor, "action": row.action}
    to_what = {"verification_id": row.verification_id, "phone": phone, "detail": row.detail}
    return {"at": rfc3339(at)} | who_did_what | to_what
