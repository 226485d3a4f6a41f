"""Meta's number, as far as it can be looked at without a message; then its account and template."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from otp_service.cli.check import meta_templates
from otp_service.cli.check.findings import Finding, Mark, of_failure, ok, problem, warning
from otp_service.cli.check.reachable import host, unreachable
from otp_service.delivery import failure_codes, failure_reasons, http, parsing
from otp_service.delivery.http import Answer
from otp_service.delivery.providers.meta_settings import MetaSettings
from otp_service.delivery.refusals import error_of
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError
from otp_service.settings import Settings


def check(settings: Settings) -> Iterator[Finding]:
    yield (number := _number(settings.meta))
    if number.mark is Mark.OK:
        yield from meta_templates.check(settings)


def _number(settings: MetaSettings) -> Finding:
    number = quote(settings.phone_number_id, safe="")
    url = f"{settings.api_url.rstrip('/')}/{number}?fields=id"
    answer = http.get(url, {"Authorization": f"Bearer {settings.access_token}"})
    if isinstance(answer, DeliveryError):
        return unreachable("Meta", settings.api_url, "META_API_URL", answer)
    answered = parsing.json_object(answer.body)
    if parsing.text(answered.get("id")) == settings.phone_number_id:
        return ok("Meta", "the token is accepted, and the number's id is right")
    if not parsing.as_object(answered.get("error")):
        text = f"{host(url)} answers (HTTP {answer.status}), but does not tell of the number"
        return warning("Meta", text, "Check META_API_URL. --send +NUMBER shows whether it works.")
    return _refused(answer, failure_reasons.of(answered), settings.access_token)


def _refused(answer: Answer, trouble: failure_reasons.Trouble, token: str) -> Finding:
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
