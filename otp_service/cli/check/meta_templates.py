"""Meta's number, account and template, against the settings that use them."""

from __future__ import annotations

from collections.abc import Iterator

from otp_service.cli.check import template_fit
from otp_service.cli.check.findings import Finding, Mark, ok, problem, warning
from otp_service.delivery.providers.gupshup_templates import Template
from otp_service.delivery.providers.meta_account import MetaAccount, Part
from otp_service.delivery.providers.meta_settings import MetaSettings
from otp_service.domain.errors import DeliveryError
from otp_service.settings import Settings

TEMPLATE, HEALTH = "Meta template", "Meta account"
_RIGHT = "META_ACCESS_TOKEN needs the right whatsapp_business_management for the account, too."
_MAKE = "Make one of the category Authentication with a copy-code button."


def check(settings: Settings) -> Iterator[Finding]:
    """Of an account whose token and number are right."""
    account = MetaAccount(settings.meta)
    health = account.health()
    if isinstance(health, DeliveryError):
        yield _can_not_tell("of the account", health)
        return
    yield from _health(health)
    owner = next((each.id for each in health if each.kind == "waba" and each.id), "")
    if not owner:
        text = "Meta does not tell whose the number is, so its templates can't be asked for"
        yield warning(TEMPLATE, text, _RIGHT)
        return
    yield from _templates(settings, account, owner)


def _can_not_tell(of: str, error: DeliveryError) -> Finding:
    return warning(TEMPLATE, f"Meta does not tell {of} ({error.reason})", _RIGHT)


def _health(health: list[Part]) -> Iterator[Finding]:
    marks = {"blocked": Mark.PROBLEM, "limited": Mark.WARNING}
    for each in health:
        if mark := marks.get(each.state):
            text = f"the {each.kind} is {each.state}"
            text += f": {each.reason}" if each.reason else ""
            yield Finding(mark, HEALTH, text, each.advice)
    if health and all(each.state == "available" for each in health):
        yield ok(HEALTH, "the number, its account and the app may send")


def _templates(settings: Settings, account: MetaAccount, owner: str) -> Iterator[Finding]:
    found = account.templates(owner, settings.meta.template)
    if isinstance(found, DeliveryError):
        yield _can_not_tell("of the templates", found)
        return
    if not found:
        yield _no_such_template(settings.meta, account, owner)
        return
    by_language = {each.language: each for each in found}
    for language in settings.meta.languages:
        if language in by_language:
            yield from _one(by_language[language], language, settings)
        else:
            yield _no_such_language(language, list(by_language))


def _no_such_template(settings: MetaSettings, account: MetaAccount, owner: str) -> Finding:
    listed = account.templates(owner)
    names = [] if isinstance(listed, DeliveryError) else [each.name for each in listed]
    there = ", ".join(list(dict.fromkeys(names))[:10])
    advice = f"There are: {there}." if there else _MAKE
    text = f"the account has no template with the name in META_TEMPLATE, {settings.template}"
    return problem(TEMPLATE, text, advice)


def _no_such_language(language: str, there: list[str]) -> Finding:
    text = f"it has no {language}: such messages are refused (132001)"
    advice = f"Add the language at Meta, or leave it out: there is {', '.join(there)}."
    return problem(f"{TEMPLATE} ({language})", text, advice)


def _one(template: Template, language: str, settings: Settings) -> Iterator[Finding]:
    subject = f"{TEMPLATE} ({language})"
    yield template_fit.status(template, subject)
    if template.category != "authentication":
        category = template.category or "not told"
        text = f"its category is {category}, but codes belong in an authentication template"
        yield problem(subject, text, _MAKE)
    yield _values(template, subject)
    yield template_fit.lifetime(template, subject, settings.expiry)
    yield from template_fit.footer(template, subject, settings.expiry)


def _values(template: Template, subject: str) -> Finding:
    """A send has the code once for the text and once for the button."""
    if template.takes is None or template.body_values is None:
        return warning(subject, "Meta does not tell what it is made of")
    if template.body_values != 1:
        text = f"its text takes {template.body_values} values, and gets one: the code (132000)"
        return problem(subject, text, _MAKE)
    if template.takes == 1:
        return problem(subject, "it has no copy-code button: messages for one are refused", _MAKE)
    return ok(subject, "it takes the code in its text and in its copy-code button")
