"""What providers told of templates, numbers and the account: the newest of each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from flask import Flask

from otp_service.cli.check.findings import Finding, Mark, ok
from otp_service.delivery.providers import PROVIDERS
from otp_service.domain import failures
from otp_service.domain.failures import FAILURES
from otp_service.domain.provider_events import Kind, Level, ProviderEvent
from otp_service.settings import Settings
from otp_service.storage.models.base import engines_of
from otp_service.storage.provider_events import Known, known

FADES = timedelta(days=7)  # nobody tells that a fault of the app is over, or a restriction's end
_TITLES = {provider.name: provider.title for provider in PROVIDERS}
_WHOSE = {True: "", False: " It is not used here.", None: ""}
_QUALITY = "WhatsApp pauses what stays so: see its quality in the provider's dashboard."
_ADVICE = {
    "paused": failures.TEMPLATE_PAUSED.advice,
    "disabled": failures.TEMPLATE_PAUSED.advice,
    "rejected": "Correct it and submit it again; until then only another template can be sent.",
    "deleted": "Make it again, or name another one in the settings.",
    "recategorized": "Codes belong in an authentication template: appeal, or make another one.",
    "flagged": _QUALITY,
    "quality_low": _QUALITY,
    "quality_medium": _QUALITY,
}
_OF_NUMBER = "See the number's quality, limit and name in the provider's dashboard."
_SECURITY = "Was that one of you? If not, set another two-step PIN for the number."


def check(app: Flask, settings: Settings) -> Iterator[Finding]:
    """Nothing where no provider's webhook has a secret: none could tell."""
    events = [each for each in known(engines_of(app)) if not _is_over(each)]
    for each in events:
        ours = settings.is_ours(each.event)
        if each.event.level is not Level.FINE or ours is not False:
            yield _finding(each, ours)
    if not events and (settings.gupshup.webhook_secret or settings.meta.app_secret):
        text = "no provider has told of trouble with a template, a number or the account"
        yield ok("provider events", text)


def _is_over(latest: Known) -> bool:
    return latest.event.topic == "errors" and latest.age > FADES


def _finding(latest: Known, ours: bool | None) -> Finding:
    event = latest.event
    subject = f"{_TITLES.get(event.provider, event.provider)} {event.subject}"
    text = f"{event.state.replace('_', ' ')}, as told at {latest.at:%Y-%m-%dT%H:%M:%SZ}"
    text += f": {event.detail}" if event.detail else ""
    mark = _mark(latest, ours)
    if mark is Mark.OK:
        return Finding(mark, subject, text)
    late = " That was long ago: does it still hold?" if latest.age > FADES else ""
    return Finding(mark, subject, text, f"{_advice(event)}{_WHOSE[ours]}{late}")


def _mark(latest: Known, ours: bool | None) -> Mark:
    if latest.event.level is Level.FINE:
        return Mark.OK
    fails = latest.event.level is Level.TROUBLE and ours is not False and latest.age <= FADES
    return Mark.PROBLEM if fails else Mark.WARNING


def _advice(event: ProviderEvent) -> str:
    if event.topic == "errors":
        failure = FAILURES[event.state]
        return failure.advice or failure.explanation
    if event.kind is Kind.TEMPLATE:
        return _ADVICE.get(event.state, _QUALITY)
    if event.kind is Kind.NUMBER:
        return _SECURITY if event.topic == "security" else _OF_NUMBER
    return failures.ACCOUNT_RESTRICTED.advice
