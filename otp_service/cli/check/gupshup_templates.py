"""Gupshup's templates, against the settings that use them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from otp_service.cli.check import template_fit
from otp_service.cli.check.findings import Finding, of_failure, ok, problem, warning
from otp_service.cli.check.reachable import host, unreachable
from otp_service.delivery import http
from otp_service.delivery.providers.gupshup_templates import Template, Templates, base_url
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError
from otp_service.settings import Settings

_UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_APP_ID = "the app's id: in Gupshup's dashboard, under the app's Settings (a UUID, not its name)"
_NO_ANSWER = (failures.PROVIDER_DOWN, failures.UNCONFIRMED, failures.RATE_LIMITED)
_KEY = (
    "A self-serve key belongs to api.gupshup.io; an enterprise account (userid and password) gets "
    "401 here with whatever key, and so does the key of another account than GUPSHUP_APP_ID's."
)


def check(settings: Settings) -> Iterator[Finding]:
    if settings.gupshup.app_id:
        yield from _ask_for_templates(settings)
        return
    yield _reach(settings.gupshup.api_url)
    text = "GUPSHUP_APP_ID is not set, so Gupshup can't be asked for the template"
    yield warning("template", text, f"Set it to {_APP_ID}.")


def _reach(url: str) -> Finding:
    answer = http.get(f"{base_url(url)}/", {})
    if isinstance(answer, DeliveryError):
        return unreachable("Gupshup", url, "GUPSHUP_API_URL", answer)
    return ok("Gupshup", f"{host(url)} can be reached; the key was not tried")


def _ask_for_templates(settings: Settings) -> Iterator[Finding]:
    templates = Templates(settings.gupshup, settings.gupshup.app_id)
    listed = templates.all()
    if isinstance(listed, DeliveryError) and not _is_unreadable(listed):
        yield _no_list(settings, listed)
        return
    known = {} if isinstance(listed, DeliveryError) else {each.id: each for each in listed}
    wanted = _wanted(settings)
    found = {each: known.get(each) or templates.one(each) for each in wanted}
    yield _reached(settings, isinstance(listed, list), found.values())
    for template_id, locales in wanted.items():
        one = found[template_id]
        if isinstance(one, Template) and one.id == template_id:
            yield from template_fit.check(one, locales, settings)
        else:
            yield _not_found(template_id, locales, list(known.values()), one)


def _reached(
    settings: Settings, has_list: bool, found: Iterable[Template | DeliveryError]
) -> Finding:
    name = host(settings.gupshup.api_url)
    if has_list or any(isinstance(each, Template) for each in found):
        return ok("Gupshup", f"{name} takes the key and knows the app")
    text = f"{name} answers, but not with templates: is that Gupshup, or something in between?"
    return warning("Gupshup", text, "Check GUPSHUP_API_URL.")


def _is_unreadable(error: DeliveryError) -> bool:
    """An answer that says "yes", but is too long for us: an app may have many templates."""
    return error.failure is failures.UNCONFIRMED and error.reason.startswith("HTTP 200")


def _wanted(settings: Settings) -> dict[str, list[str | None]]:
    """Each template's id, and the locales it is configured for; None is the default."""
    wanted: dict[str, list[str | None]] = {settings.gupshup.template_id: [None]}
    for locale, template_id in settings.gupshup.templates.items():
        wanted.setdefault(template_id, []).append(locale)
    return wanted


def _no_list(settings: Settings, error: DeliveryError) -> Finding:
    if error.failure is failures.CREDENTIALS_REJECTED:
        return of_failure("Gupshup", error, _KEY)
    if error.failure is failures.RATE_LIMITED:
        return warning("Gupshup", "it takes no more questions at present: try again in a minute")
    if error.failure in (*_NO_ANSWER, failures.NOT_CONFIGURED):
        return unreachable("Gupshup", settings.gupshup.api_url, "GUPSHUP_API_URL", error)
    shape = "" if re.fullmatch(_UUID, settings.gupshup.app_id) else " It is no UUID now."
    advice = f"GUPSHUP_APP_ID must be {_APP_ID}.{shape}"
    return problem("Gupshup", f"it does not tell of the app's templates ({error.reason})", advice)


def _not_found(
    template_id: str,
    locales: list[str | None],
    known: list[Template],
    one: Template | DeliveryError,
) -> Finding:
    subject = template_fit.subject(locales)
    variable = "GUPSHUP_TEMPLATE_ID" if None in locales else "GUPSHUP_TEMPLATES"
    reason = f" ({one.reason})" if isinstance(one, DeliveryError) and one.reason else ""
    if isinstance(one, DeliveryError) and one.failure in _NO_ANSWER:
        return warning(subject, f"Gupshup could not be asked for it{reason}")
    text = f"this app has no template with the id in {variable}{reason}"
    for each in known:
        if template_id in (each.name, each.meta_id):
            kind = "its name" if template_id == each.name else "Meta's id of it"
            return problem(subject, text, f"That is {kind}; Gupshup's id is {each.id}.")
    shape = "" if re.fullmatch(_UUID, template_id) else "It must be Gupshup's UUID, not a name. "
    there = ", ".join(f"{each.name} ({each.language}) {each.id}" for each in known[:10])
    advice = f"{shape}There are: {there}." if there else f"{shape}See the app's list of templates."
    return problem(subject, text, advice)
