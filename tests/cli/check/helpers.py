"""What tests of `otp check` share: an account, the command, a line of what it shows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from click.testing import Result
from flask import Flask

from otp_service.simulator.providers import templates
from otp_service.storage.models.base import engines_of
from tests.conftest import SECRET

ROOT = Path(__file__).parents[3]


PHONE = "+919812345678"


KEY, HOOK_SECRET = "k3y-of-gupshup-0001", "a-webhook-secret-of-the-tests"


COPY_CODE, PLAIN, PAUSED = (template.id for template in templates.TEMPLATES)


SMS = {"GUPSHUP_SMS_USERID": "2000000001", "GUPSHUP_SMS_PASSWORD": "a-pass-word"}


SECRETS = (KEY, HOOK_SECRET, SECRET, PHONE, PHONE[1:], "a-pass-word", "t0ken-of-meta", "an-app-s")


Check = Callable[..., Result]


def checked(app: Flask, *arguments: str) -> Result:
    result = app.test_cli_runner().invoke(args=["otp", "check", *arguments])
    assert not isinstance(result.exception, Exception), result.exception
    assert not [secret for secret in SECRETS if secret in result.output]
    return result


def line(result: Result, subject: str) -> str:
    """The line about it, and what to do."""
    lines = result.output.splitlines()
    found = next(n for n, text in enumerate(lines) if text[9:].startswith(f"{subject}: "))
    return " ".join(lines[found : found + 2])


def closing_engines(app: Flask) -> Any:
    class Engines:
        def close(self) -> None:
            for engine in engines_of(app):
                engine.dispose()

    return closing(Engines())
