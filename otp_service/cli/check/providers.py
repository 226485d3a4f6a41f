"""Meta's and SMS's accounts, as far as they can be looked at without a message."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote, urlsplit

from otp_service.cli.check import meta_templates
from otp_service.cli.check.findings import Finding, Mark, of_failure, ok, problem, warning
from otp_service.delivery import failure_codes, failure_reasons, http, parsing
from otp_service.delivery.http import Answer
from otp_service.delivery.providers.meta_settings import MetaSettings
from otp_service.delivery.refusals import error_of
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError
from otp_service.settings import Settings

_TRY = "Only a message shows whether the account is right: --send +NUMBER --channel sms"


def check(settings: Settings) -> Iterator[Finding]:
    if not settings.meta.missing:
        yield (number := _meta(settings.meta))
        if number.mark is Mark.OK:
            yield from meta_templates.check(settings)
    if settings.sms.missing:
        if not settings.sandbox:
            yield ok("SMS", "not configured: whoever WhatsApp doesn't reach gets nothing")
    else:
        yield _sms(settings.sms.api_url)


def host(url: str) -> str:
    """For people: without a user, a password and a path."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


def unreachable(subject: str, url: str, variable: str, error: DeliveryError) -> Finding:
    if error.failure is failures.NOT_CONFIGURED:
        return problem(
            subject, f"{variable}, or the key, can't be used", "Look for odd characters."
        )
    text = f"{host(url)} can't be reached ({error.reason})"
    return problem(subject, text, f"Check {variable}, DNS and the firewall of this machine.")


def _sms(url: str) -> Finding:
    """Without credentials: any answer shows that somebody is there."""
    answer = http.get(url, {})
    if isinstance(answer, DeliveryError):
        return unreachable("SMS", url, "GUPSHUP_SMS_API_URL", answer)
    if answer.status >= 500 or 300 <= answer.status < 400:
        return warning("SMS", f"{host(url)} answers, but with HTTP {answer.status}", _TRY)
    return ok("SMS", f"configured, and {host(url)} can be reached. {_TRY}")


def _meta(settings: MetaSettings) -> Finding:
    number = quote(settings.phone_number_id, safe="")
    url = f"{settings.api_url.rstrip('/')}/{number}?fields=id"
    answer = http.get(url, {"Authorization": f"Bearer {settings.access_token}"})
    if isinstance(answer, DeliveryError):
        return unreachable("Meta", settings.api_url, "META_API_URL", answer)
    told = parsing.json_object(answer.body)
    if parsing.text(told.get("id")) == settings.phone_number_id:
        return ok("Meta", "the token is accepted, and the number's id is right")
    if not parsing.as_object(told.get("error")):
        text = f"{host(url)} answers (HTTP {answer.status}), but does not tell of the number"
        return warning("Meta", text, "Check META_API_URL. --send +NUMBER shows whether it works.")
    return _refused_by_meta(answer, failure_reasons.of(told), settings.access_token)


def _refused_by_meta(answer: Answer, trouble: failure_reasons.Trouble, token: str) -> Finding:
    error = error_of(answer, trouble, failure_codes.WHATSAPP, token, refused=True)
    if error.failure is failures.CREDENTIALS_REJECTED:
        advice = "META_ACCESS_TOKEN may have ended (those from the dashboard live a day), or lack "
        advice += "the right whatsapp_business_messaging. Make a system user's token."
        return problem("Meta", f"{error.failure.explanation} ({error.reason})", advice)
    if trouble.code == "100":
        advice = "META_PHONE_NUMBER_ID is Meta's id of the number, from WhatsApp > API Setup, not "
        advice += "the number itself; the token must be of the same business."
        return problem("Meta", f"there is no such number for this token ({error.reason})", advice)
    if error.failure.outcome is failures.Outcome.TEMPORARY:
        return warning("Meta", f"it can't tell now ({error.reason})")
    return of_failure("Meta", error)
