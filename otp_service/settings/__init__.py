"""All settings: typed, frozen, and every problem reported at once.

Safety follows from what is configured, not from an environment's name: with a real sender, each
default turns strict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from flask import Flask

from otp_service.domain.codes import Secret
from otp_service.domain.destination import DestinationRules
from otp_service.domain.limits import Limits
from otp_service.domain.phone import Numbering
from otp_service.environment import Reader, SettingsError, Variable
from otp_service.settings import codes as code_settings
from otp_service.settings import database as database_urls
from otp_service.settings import destinations, oversights, security, server
from otp_service.settings import limits as limit_settings
from otp_service.settings import providers as provider_settings
from otp_service.settings.codes import CodeSettings
from otp_service.settings.providers import ProviderSettings
from otp_service.settings.security import ProofSettings
from otp_service.settings.server import ServerSettings


@dataclass(frozen=True)
class Settings(ProviderSettings, ServerSettings, CodeSettings):
    """What a deployment chose. Durations are seconds, phones E.164."""

    database_url: str = field(repr=False)
    fallback_url: str | None = field(repr=False)
    instance_count: int
    secrets: tuple[Secret, ...]
    api_keys_required: bool
    limits: Limits
    destinations: DestinationRules
    retention_days: int
    sms_after: int
    """Without a receipt for so long, an SMS follows."""
    proof: ProofSettings
    redacted: frozenset[str] = field(default=frozenset(), repr=False)
    """Every secret of the settings: no line of the log holds one."""
    warnings: tuple[str, ...] = ()

    @property
    def numbering(self) -> Numbering:
        """How numbers are read here."""
        return self.destinations.numbering(self.test_numbers)

    @classmethod
    def from_env(cls, environ: Mapping[str, str], instance: Path) -> Settings:
        """Settings from ``environ``; ``instance`` is where the sandbox keeps its secret.

        Raises `SettingsError` with all problems, each naming its variable and no secret.
        """
        read = Reader(environ)
        settings = _read(read, instance)
        read.problems += oversights.problems(environ, read.asked)
        read.warnings += oversights.warnings(environ, read.asked)
        if read.problems:
            raise SettingsError(read.problems, read.warnings)
        return replace(settings, redacted=frozenset(read.redacted), warnings=tuple(read.warnings))


def _read(read: Reader, instance: Path) -> Settings:
    """What is wrong is noted, and something else stands in its place."""
    providers = provider_settings.providers(read)
    sandbox = not provider_settings.sender_is_meant(read)
    database = database_urls.database_url(read, instance)
    where = destinations.destinations(read)
    codes = code_settings.codes(read, sandbox, where.numbering())
    keys_required = security.api_keys(read, sandbox)
    days = "How many days verifications are kept"
    settings = Settings(
        **vars(providers),
        **vars(server.server(read, sandbox)),
        **vars(codes),
        database_url=database,
        fallback_url=database_urls.fallback_url(read, database, instance),
        instance_count=read.number(
            "INSTANCE_COUNT", "Machines that have a fallback each", 1, 1, 1000
        ),
        secrets=security.secrets(read, sandbox, instance),
        api_keys_required=keys_required,
        limits=limit_settings.limits(
            read, keys_required=keys_required, max_attempts=codes.max_attempts
        ),
        destinations=where,
        retention_days=read.number("OTP_RETENTION_DAYS", days, 30, 1, 3650),
        sms_after=provider_settings.sms_after(read, codes.expiry, providers.sms),
        proof=security.proof(read),
    )
    limit_settings.refuse_forgotten(read, settings.limits, settings.retention_days)
    return settings


def variables(environ: Mapping[str, str]) -> dict[str, Variable]:
    """All settings there are, by name; ``environ`` tells what their defaults are."""
    with TemporaryDirectory() as folder:
        _read(read := Reader(environ), Path(folder))
    return read.variables


def settings_of(app: Flask) -> Settings:
    """The settings that `create_app` made this application with."""
    return cast(Settings, app.extensions["otp_settings"])
