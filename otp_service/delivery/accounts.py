"""What every provider's account keeps to: all of its own variables, or none."""

from __future__ import annotations

import re

from otp_service.delivery.provider import Provider
from otp_service.environment import Reader, is_placeholder


def chosen(read: Reader, *providers: type[Provider]) -> dict[str, str]:
    """What is set of these providers' own variables: a half of them, maybe."""
    names = [f"{each.prefix}{name}" for each in providers for name in each.own.split()]
    return {name: value for name in names if (value := read.given(name))}


def is_unfilled(value: str) -> bool:
    """Whether `check` tells of it, if anybody has to."""
    return not value or is_placeholder(value)


def check(read: Reader, provider: Provider) -> None:
    """Note what is missing of an account that is meant to be used, and what can't be its URL."""
    values = chosen(read, type(provider))
    if values:
        read.problems += [
            f"{name} is missing: set it, or unset {', '.join(values)}" for name in provider.missing
        ]
    for name, value in values.items():
        if is_placeholder(value):
            read.problems.append(f"{name} still holds the example's placeholder")
    if not re.fullmatch(r"https?://[^\s/]+\S*", provider.api_url):
        read.problems.append(f"{provider.prefix}API_URL must be an http or https URL")
    elif provider.api_url.startswith("http://") and not provider.missing:
        name = f"{provider.prefix}API_URL"
        read.warnings.append(f"{name} is not https: keys and codes travel in clear text")
