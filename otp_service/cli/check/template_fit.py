"""Whether one template fits the settings: its state, button, language and lifetime."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from otp_service.cli.check.findings import Finding, ok, problem, warning
from otp_service.delivery.providers.gupshup_templates import Template
from otp_service.domain import failures
from otp_service.domain.languages import pick, read
from otp_service.settings import Settings
from otp_service.wording import counted

BUTTON = "copy-code button"
DEFAULT_LIFETIME = 600  # seconds; Meta's for authentication templates (…/templates/time-to-live)
SHORTEST_LIFETIME, LONGEST_LIFETIME = 30, 900  # as the same page allows
_MONTH = 30 * 86_400
_PRESS = "To be sure, send a code with --send +NUMBER and press the button."


def subject(locales: Sequence[str | None], of: str = "template") -> str:
    """``of`` the default template, or of that in these languages."""
    named = [locale or "default" for locale in locales]
    return of if named == ["default"] else f"{of} ({', '.join(named)})"


def check(
    template: Template, locales: Sequence[str | None], settings: Settings
) -> Iterator[Finding]:
    """``locales`` are those it is configured for; None is the default."""
    yield status(template, subject(locales))
    if template.category and template.category != "authentication":
        advice = "Codes belong in an authentication template: others are capped, may be refused, "
        advice += "and can be recategorized. Create one, and set GUPSHUP_TEMPLATE_ID to it."
        yield warning(subject(locales), f"its category is {template.category}", advice)
    yield _count(template, subject(locales, BUTTON), settings.gupshup.param_count)
    for locale in filter(None, locales):
        yield from _language(template, locale)
    yield lifetime(template, subject(locales, "lifetime"), settings.expiry)
    yield from footer(template, subject(locales, "lifetime"), settings.expiry)


def status(template: Template, subject_: str) -> Finding:
    status = template.status or "in a state that was not told"
    about = ", ".join(filter(None, [template.category, template.language]))
    text = f"{template.name or 'it'} is {status} ({about})"
    if status == "approved" and template.quality in ("red", "low"):
        return warning(subject_, f"{text}, but its quality is low", failures.TEMPLATE_PAUSED.advice)
    if status in ("approved", "enabled"):
        return ok(subject_, text)
    if status in ("paused", "disabled"):
        return problem(subject_, text, failures.TEMPLATE_PAUSED.advice)
    if not template.status:
        return warning(subject_, text)
    reason = f": {template.reason}" if template.reason else ""
    advice = "Only an approved template can be sent: wait, or correct it and submit it again."
    return problem(subject_, text + reason, advice)


def _count(template: Template, subject_: str, count: int) -> Finding:
    if template.takes is None:
        text = "Gupshup does not tell whether there is one, and so how often the code is taken"
        return warning(subject_, text, _PRESS)
    kind = "it has one" if template.takes > 1 else "it has none"
    text = f"{kind}, so it takes the code {counted(template.takes, 'time')}"
    if template.takes == count:
        return ok(subject_, f"{text}, as GUPSHUP_OTP_PARAM_COUNT says")
    effect = "the button may copy a placeholder instead of the code"
    if count > template.takes:
        effect = "WhatsApp refuses such messages (132000)"
    advice = f"Set GUPSHUP_OTP_PARAM_COUNT={template.takes}. {_PRESS if count == 1 else ''}"
    return problem(subject_, f"{text}, but GUPSHUP_OTP_PARAM_COUNT is {count}: {effect}", advice)


def _language(template: Template, locale: str) -> Iterator[Finding]:
    named = f"language {locale}"
    if not template.language:
        return
    if pick([template.language], locale) is None:
        text = f"{locale} is served by a template in {template.language}"
        yield problem(named, text, f"Put the id of a template in {locale} into GUPSHUP_TEMPLATES.")
    elif _region(locale) and _region(template.language) not in ("", _region(locale)):
        yield warning(named, f"{locale} is served by a template in {template.language}")
    else:
        yield ok(named, f"its template is in {template.language}")


def _region(tag: str) -> str:
    return (read(tag) or "").partition("-")[2]


def lifetime(template: Template, subject_: str, expiry: int) -> Finding:
    named = template.lifetime
    seconds = DEFAULT_LIFETIME if named is None else _MONTH if named < 0 else named
    how = " (Meta's default: the template names none)" if named is None else ""
    text = f"WhatsApp tries to deliver for {seconds} s{how}, the code lives {expiry} s"
    if seconds <= expiry:
        return ok(subject_, text)
    shorter = max(SHORTEST_LIFETIME, min(expiry, LONGEST_LIFETIME))
    advice = f"Set the template's message validity (message_send_ttl_seconds) to {shorter}"
    if seconds <= DEFAULT_LIFETIME:
        advice += f", or OTP_EXPIRY_MINUTES to {-(-seconds // 60)}"
    return warning(subject_, f"{text}: a message may arrive when its code has ended", f"{advice}.")


def footer(template: Template, subject_: str, expiry: int) -> Iterator[Finding]:
    minutes = template.footer_minutes
    if minutes and 60 * minutes > expiry:
        text = f"the message says that the code lives {minutes} min, but it lives {expiry} s"
        advice = f"Set OTP_EXPIRY_MINUTES={minutes}, or" if minutes <= 10 else "Set"
        advice += " the template's code_expiration_minutes to what OTP_EXPIRY_MINUTES says."
        yield warning(subject_, text, advice)
