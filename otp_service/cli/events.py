"""`otp events …`: the endpoints that are told what happens to verifications and messages."""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from otp_service.cli.output import minute, show_table
from otp_service.cli.parameters import Moment
from otp_service.cli.schema import make_schema, record_change
from otp_service.domain.events import Endpoint, EventType
from otp_service.events import addresses
from otp_service.events.poster import Outcome, Poster
from otp_service.events.sample import sample_for
from otp_service.events.signature import secret_of
from otp_service.settings import settings_of
from otp_service.storage import event_endpoints
from otp_service.storage.models.base import db, engines_of
from otp_service.storage.models.events import EventEndpointRow
from otp_service.storage.sql import audit
from otp_service.storage.sql.event_endpoints import ALL
from otp_service.storage.sql.events import replay
from otp_service.web.fields import rfc3339
from otp_service.wording import counted

_TYPES = ", ".join(each.value for each in EventType)

events = AppGroup("events", help="Say who is told what happens to verifications and messages.")


class Address(click.ParamType[str]):
    name = "url"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if problem := addresses.problem_with(str(value)):
            self.fail(problem, param, ctx)
        return str(value)


@events.command("add")
@click.argument("url", type=Address())
@click.option("--client", metavar="NAME", help="Only events of this client. [default: all]")
@click.option(
    "--type",
    "types",
    multiple=True,
    metavar="TYPE",
    type=click.Choice([each.value for each in EventType]),
    help=f"Only events of this type; give it several times for several: {_TYPES}. [default: all]",
)
@click.option("--no-phone", is_flag=True, help="Leave out phone numbers.")
def add_endpoint(url: str, client: str | None, types: tuple[str, ...], no_phone: bool) -> None:
    """Tell URL of events from now on, and show its secret this once.

    They are signed with it as Standard Webhooks 1.0 says, see docs/events.md. URL begins with
    https://, or with http:// for a host of your own network.

    Example: ./otp events add https://example.com/otp-events --client shop
    """
    if sys.stdout is None:  # closed: nobody would ever know the secret
        raise click.ClickException("there is no standard output to show the secret on")
    if client is not None and not 0 < len(client) <= 64:
        raise click.BadParameter("a client's name has 1 to 64 characters", param_hint="--client")
    make_schema(current_app)
    made = event_endpoints.add(
        db.engine,
        settings_of(current_app).secrets[0],
        url,
        client=client,
        types=tuple(map(EventType, dict.fromkeys(types))),
        with_phone=not no_phone,
    )
    # Before it is shown: that may fail.
    record_change("endpoint.added", made.id, EventEndpointRow, ALL)
    click.echo(secret_of(made.key))
    click.echo(
        f"Keep it now: it is stored sealed and can't be shown again. The endpoint is {made.id}.\n"
        f"Try it with: ./otp events test {made.id}",
        err=True,
    )


@events.command("list")
def list_endpoints() -> None:
    """Show the endpoints, oldest first.

    Their secrets are not shown, nor what addresses have behind a question mark. Times are UTC.

    Example: ./otp events list
    """
    found = _everything()
    if not found:
        click.echo("No endpoints yet. Add one with: ./otp events add URL")
        return
    table = []
    for each in found:
        state = _state(each)
        types = ",".join(kind.value for kind in each.types) or "all"
        phones = "yes" if each.with_phone else "no"
        url = addresses.shown(each.url)
        table.append(
            (each.id, state, each.client or "all", types, phones, minute(each.created_at), url)
        )
    show_table(("id", "state", "client", "types", "phones", "added", "url"), table)


@events.command("remove")
@click.argument("id")
def remove_endpoint(id: str) -> None:  # noqa: A002 (it is the argument's name)
    """End the endpoint ID: within seconds nothing is told there, and what waits never is.

    Example: ./otp events remove 3f9a01bc
    """
    if not event_endpoints.remove(db.engine, id):
        raise click.ClickException(f"there is no active endpoint {id!r}: see ./otp events list")
    record_change("endpoint.removed", id, EventEndpointRow, ALL)
    click.echo(f"The endpoint {id} is removed.")


@events.command("test")
@click.argument("id")
def test_endpoint(id: str) -> None:  # noqa: A002
    """Post one signed event to the endpoint ID now, and say what came back.

    It looks like a real one; its purpose is `test` and its number nobody's. It is posted once, from
    here, and nothing is stored. The exit code is 1 unless the answer is 2xx.

    Example: ./otp events test 3f9a01bc
    """
    endpoint = _active(id)
    if not endpoint.key:
        raise click.ClickException("its secret can't be opened: remove it, and add it anew")
    began = time.monotonic()
    tried = Poster().post(endpoint, sample_for(endpoint))
    answered = f"{tried.said} after {time.monotonic() - began:.2f} s"
    if tried.outcome is not Outcome.TOLD:
        raise click.ClickException(f"the endpoint {id} did not take it: {answered}")
    click.echo(f"The endpoint {id} took it: {answered}.")


@events.command("replay")
@click.option(
    "--since", required=True, type=Moment(), help="Such as 2026-11-28T18:30:00Z, or 12h: ago."
)
@click.option("--endpoint", metavar="ID", help="To this one only. [default: all]")
def replay_events(since: datetime | timedelta, endpoint: str | None) -> None:
    """Tell again what happened since a time, in order: what was told and what was given up.

    Each event keeps its id, so that a receiver knows what it has already.

    Example: ./otp events replay --since 12h --endpoint 3f9a01bc
    """
    if endpoint is not None:
        _active(endpoint)
    if isinstance(since, timedelta):
        since = datetime.now(timezone.utc) - since
    count = sum(replay(engine, since, endpoint) for engine in engines_of(current_app))
    detail = f"{count} to {endpoint or 'all'} since {rfc3339(since)}"
    audit.record(db.engine, actor=audit.operator(), action="events.replayed", detail=detail)
    click.echo(f"{counted(count, 'event')} told again.")


def _state(endpoint: Endpoint) -> str:
    if endpoint.ended_at:
        return f"ended {minute(endpoint.ended_at)}"
    return "active" if endpoint.key else "secret lost"


def _everything() -> list[Endpoint]:
    return event_endpoints.everything(db.engine, settings_of(current_app).secrets)


def _active(endpoint_id: str) -> Endpoint:
    for each in _everything():
        if each.id == endpoint_id and each.ended_at is None:
            return each
    message = f"there is no active endpoint {endpoint_id!r}: see ./otp events list"
    raise click.ClickException(message)
