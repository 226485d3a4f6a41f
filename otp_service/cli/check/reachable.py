"""Whether a provider can be reached: no message, no credentials."""

from __future__ import annotations

from urllib.parse import urlsplit

from otp_service.cli.check.findings import Finding, ok, problem, warning
from otp_service.delivery import http
from otp_service.delivery.provider import Provider
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError


def check(provider: Provider) -> Finding:
    """Any answer shows that somebody is there."""
    title, url = provider.title, provider.api_url
    advice = "Only a message shows whether the account is right: "
    advice += f"--send +NUMBER --channel {provider.channel.value}"
    answer = http.get(url, {})
    if isinstance(answer, DeliveryError):
        return unreachable(title, url, f"{provider.prefix}API_URL", answer)
    if answer.status >= 500 or 300 <= answer.status < 400:
        return warning(title, f"{host(url)} answers, but with HTTP {answer.status}", advice)
    return ok(title, f"configured, and {host(url)} can be reached. {advice}")


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
