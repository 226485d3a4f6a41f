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
from otp_service.proofs.settings import ProofSettings
from otp_service.settings import oversights
from otp_service.settings import providers as provider_settings
from otp_service.settings.codes import CodeSettings, read_codes
from otp_service.settings.database import DatabaseSettings, read_databases
from otp_service.settings.destinations import read_destinations
from otp_service.settings.hooks import HookSettings, read_hooks
from otp_service.settings.limits import read_limits, refuse_forgotten
from otp_service.settings.providers import ProviderSettings
from otp_service.settings.security import api_keys_required, read_proofs, read_secrets
from otp_service.settings.server import ServerSettings, read_server
from otp_service.settings.tracing import read_tracing


@dataclass(frozen=True)
class Settings(ProviderSettings, CodeSettings, DatabaseSettings, ServerSettings):
    """What a deployment chose. Durations are seconds, phones E.164."""

    secrets: tuple[Secret, ...]
    api_keys_required: bool
    limits: Limits
    destinations: DestinationRules
    sms_after: int
    """Without a receipt for so long, an SMS follows."""
    proof: ProofSettings
    hooks: HookSettings
    tracing: Mapping[str, str] | None = field(default=None, repr=False)
    """What OpenTelemetry's SDK is told by the environment; None: there are no spans."""
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
    destinations = read_destinations(read)
    codes = read_codes(read, sandbox, destinations.numbering())
    keys_required = api_keys_required(read, sandbox)
    settings = Settings(
        **vars(providers),
        **vars(read_server(read, sandbox)),
        **vars(codes),
        **vars(read_databases(read, instance)),
        secrets=read_secrets(read, sandbox, instance),
        api_keys_required=keys_required,
        limits=read_limits(read, keys_required=keys_required, max_attempts=codes.max_attempts),
        destinations=destinations,
        sms_after=provider_settings.sms_after(read, codes.expiry, providers.has_sms),
        proof=read_proofs(read),
        hooks=read_hooks(read, sandbox, providers.has_sms),
        tracing=read_tracing(read),
    )
    refuse_forgotten(read, settings.limits, settings.retention_days)
    return settings


def variables(environ: Mapping[str, str]) -> dict[str, Variable]:
    """All settings there are, by name; ``environ`` tells what their defaults are."""
    with TemporaryDirectory() as folder:
        _read(read := Reader(environ), Path(folder))
    return read.variables


def settings_of(app: Flask) -> Settings:
    """The settings that `create_app` made this application with."""
    return cast(Settings, app.extensions["otp_settings"])
