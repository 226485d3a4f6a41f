"""What `otp why` shows of a phone: the blocks, what they were counted from, what it was sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain

import click

from otp_service.domain.failures import explain
from otp_service.domain.limits import COUNTED, Limit
from otp_service.domain.phone import known, mask
from otp_service.domain.quotas import Block
from otp_service.settings import Settings
from otp_service.storage.phones import Count, Report
from otp_service.storage.sql import rows
from otp_service.web.fields import rfc3339
from otp_service.wording import REFUSALS, span

_SUSPICIONS = {
    "prefix_numbers": "many numbers of its prefix got messages lately",
    "conversion": "few of its country's codes were verified lately",
}


def show_destination(phone: str, settings: Settings) -> None:
    if phone in settings.test_numbers:
        click.echo(f"{mask(phone)}: a test number, without destination rules and send limits")
        return
    where = known(phone)
    click.echo(f"{mask(phone)}: {where.country or 'no country'}, {where.kind}")
    refusal = settings.destinations.refusal(where)
    _line("destination", f"BLOCKED: {REFUSALS[refusal]}" if refusal else "allowed")


def show(home: str, report: Report, settings: Settings, *, address_asked: bool) -> None:
    click.echo(f"\n{home}: {'BLOCKED' if report.blocks else 'no limit is met'}")
    for count in report.counts:
        if count.limit.name == "address_sends" and not address_asked:
            continue
        _line(_counted(count.limit, settings), _count(count))
    _line("live verifications", _live(report, settings))
    _line("guesses for another one", _guesses(report, settings))
    most = settings.limits.failures_in_a_row
    in_a_row = f"{report.failures_in_a_row} of {most}"
    if report.disabled_at:
        in_a_row += f", DISABLED since {_time(report.disabled_at)} until otp unlock"
    _line("wrong guesses in a row", in_a_row)
    if report.unlocked_at:
        _line("unlocked", f"at {_time(report.unlocked_at)}; what was before does not count")
    if report.not_on_whatsapp:
        _line("WhatsApp", "not reached there lately: with channel auto an SMS goes instead")
    guard = settings.limits.pumping.guard.value
    for suspicion in report.suspicions:
        mark = "BLOCKED, looks" if guard == "enforce" else "looks"
        _line("guard against pumping", f"{mark} like pumping: {_SUSPICIONS[suspicion]} ({guard})")
    for line in chain(_verifications(report), _messages(report)):
        click.echo(f"    {line}")


def _line(name: str, text: str) -> None:
    click.echo(f"  {name:<27} {text}")


def _counted(limit: Limit, settings: Settings) -> str:
    """Wrong guesses have one bound more, which holds for checks that name an id, too."""
    ceiling = limit in settings.limits.guess_ceilings
    named = ceiling and limit not in settings.limits.phone_failures
    return "the same, also by id" if named else COUNTED[limit.name]


def _count(count: Count) -> str:
    text = f"{count.used} of {count.limit.count} in {span(count.limit.seconds)}"
    return f"{text}, BLOCKED until {_time(count.until)}" if count.until else text


def _live(report: Report, settings: Settings) -> str:
    text = f"{report.live} of {settings.limits.live_verifications.count}"
    return text + _until(report.crowd) if report.crowd else text


def _guesses(report: Report, settings: Settings) -> str:
    text = f"{report.guesses_left} of {settings.max_attempts}"
    return text + _until(report.lock.block) if report.lock else text


def _until(block: Block) -> str:
    """Without an end, nothing but an operator ends it."""
    return f", BLOCKED until {_time(block.ends_at) if block.ends_at else 'otp unlock'}"


def _time(time: datetime) -> str:
    return rfc3339(time.replace(microsecond=0)).replace(".000", "")


def _verifications(report: Report) -> Iterator[str]:
    if report.recent:
        _line("verifications", "the newest, by client and purpose")
    for row in report.recent:
        found = rows.verification(row)
        guesses = f"{found.attempts} of {found.max_attempts} wrong guesses"
        times = f"{_time(found.created_at)} to {_time(found.expires_at)}"
        yield f"{found.id} {found.client} {found.purpose} {found.status.value}, {guesses}, {times}"


def _messages(report: Report) -> Iterator[str]:
    """What became of each; below one that failed or may have failed, why."""
    if report.messages:
        _line("messages", "the newest, by client and purpose")
    for row in report.messages:
        found = rows.delivery(row)
        reached = getattr(found, f"{found.status.value}_at", None) or found.created_at
        how = f"{found.channel.value} through {found.provider}"
        yield (
            f"{_time(found.created_at)} {row.client} {row.purpose}, {how}: "
            f"{found.status.value} at {_time(reached)}"
        )
        if found.error_code:
            said = f" {found.provider} says: {found.reason}" if found.reason else ""
            yield f"  {found.error_code}: {explain(found.error_code) or ''}{said}"
