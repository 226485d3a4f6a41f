"""What is missing or wrong: the checks of `./otp check`.

Each check answers `Finding`s and changes nothing. Only a `Trial` sends something.
"""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask

from otp_service.cli.check import (
    configuration,
    databases,
    provider_events,
    providers,
)
from otp_service.cli.check.findings import Finding
from otp_service.settings import settings_of


def findings(app: Flask) -> Iterator[Finding]:
    """Of every check, as soon as they are known: some ask a provider, for 8 seconds at most."""
    settings = settings_of(app)
    yield from configuration.check(settings)
    yield from databases.check(app)
    yield from configuration.check_contents(app, settings)
    yield from providers.check(settings)
    yield from provider_events.check(app, settings)
