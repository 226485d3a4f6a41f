"""All settings: typed, frozen, and every problem reported at once.

Safety follows from what is configured, not from an environment's name: with a real sender, each
default turns strict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from flask import Flask

from otp_service.domain.codes import Secret
from otp_service.domain.destination import DestinationRules
from otp_service.domain.limits import Limits
from otp_service.domain.phone import Numbering
from otp_service.environment import Reader, SettingsError
from otp_service.settings import database as database_urls
from otp_service.settings import limits as limit_settings
from otp_service.settings import oversights, security, server
from otp_service.settings import providers as provider_settings
from otp_service.settings.providers import ProviderSettings
from otp_service.settings.security import ProofSettings
from otp_service.settings.server import ServerSettings


@dataclass(frozen=True)
class Settings(ProviderSettings, ServerSettings):
    """What a deployment chose. Durations are seconds, phones E.164."""

    database_url: str = field(repr=False)
    fallback_url: str | None = field(repr=False)
    instance_count: int
    secrets: tuple[Secret, ...]
    expiry: int
    code_length: int
    max_attempts: int
    grace_codes: int
    expose_code: bool
    test_numbers: Mapping[str, str] = field(repr=False)
    """Number to its fixed code, or to an empty text."""
    api_keys_required: bool
    limits: Limits
    destinations: DestinationRules
    retention_days: int
    sms_after: int
    """Without a receipt for so long, an SMS follows."""
    proof: ProofSettings
    warnings: tuple[str, ...] = ()

    @property
    def numbering(self) -> Numbering:
        """How numbers are read here."""
        return self.destinations.numbering(self.test_numbers)

    @property
    def fixed_codes(self) -> dict[str, str]:
        return {number: code for number, code in self.test_numbers.items() if code}

    @classmethod
    def from_env(cls, environ: Mapping[str, str], instance: Path) -> Settings:
        """Settings from ``environ``; ``instance`` is where the sandbox keeps its secret.

        Raises `SettingsError` with all problems, each naming its variable and no secret.
        """
        read = Reader(environ)
        providers = provider_settings.providers(read)
        sandbox = not provider_settings.sender_is_meant(read)
        length = read.number("OTP_LENGTH", 6, 4, 10)
        attempts = read.number("OTP_MAX_ATTEMPTS", 5, 1, 100)
        database = database_urls.database_url(read, instance)
        keys_required = security.api_keys(read, sandbox)
        where = limit_settings.destinations(read)
        expiry = max(1, round(60 * read.decimal("OTP_EXPIRY_MINUTES", 3, 0.01, 10)))
        settings = cls(
            **vars(providers),
            **vars(server.server(read)),
            database_url=database,
            fallback_url=database_urls.fallback_url(read, database, instance),
            instance_count=read.number("INSTANCE_COUNT", 1, 1, 1000),
            secrets=security.secrets(read, sandbox, instance),
            expiry=expiry,
            code_length=length,
            max_attempts=attempts,
            grace_codes=read.number("OTP_GRACE_CODES", 0, 0, 5),
            expose_code=read.switch("OTP_EXPOSE_CODE", sandbox),
            test_numbers=security.test_numbers(read, sandbox, length, where.numbering()),
            api_keys_required=keys_required,
            limits=limit_settings.limits(read, keys_required=keys_required, max_attempts=attempts),
            destinations=where,
            retention_days=read.number("OTP_RETENTION_DAYS", 30, 1, 3650),
            sms_after=provider_settings.sms_after(read, expiry, providers.sms),
            proof=security.proof(read),
        )
        _refuse_unsafe(read, settings, sandbox)
        read.problems += oversights.problems(environ, read.asked)
        read.warnings += oversights.warnings(environ, read.asked)
        if read.problems:
            raise SettingsError(read.problems, read.warnings)
        return replace(settings, warnings=tuple(read.warnings))


def settings_of(app: Flask) -> Settings:
    """The settings that `create_app` made this application with."""
    return cast(Settings, app.extensions["otp_settings"])


def _refuse_unsafe(read: Reader, settings: Settings, sandbox: bool) -> None:
    limit_settings.refuse_forgotten(read, settings.limits, settings.retention_days)
    if settings.expose_code and not sandbox:
        read.problems.append(
            "OTP_EXPOSE_CODE is on with a real sender: anyone who may call /send-otp could sign "
            "in as anyone; remove it or set it to off"
        )
    if sandbox and not security.is_loopback(settings.host):
        read.warnings.append(
            "HOST is open to other machines, and anyone who can connect can read every code at "
            "/sandbox: use 127.0.0.1, or let a container publish its port there only"
        )
    if settings.code_length < 6:
        read.warnings.append("OTP_LENGTH is below 6: such codes are easier to guess")
    if read.text("SUPABASE_URL") and not read.text("DATABASE_URL"):
        read.warnings.append(
            "SUPABASE_URL is not used: set DATABASE_URL to the connection string that Supabase "
            "shows under Connect; until then codes are kept in a local SQLite file"
        )
