"""Twilio's own package, and plain forms, against the service."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from werkzeug.test import TestResponse

from otp_service import create_app
from otp_service.storage.models.base import engines_of
from otp_service.web.dependencies import dependencies_of
from tests import databases
from tests.conftest import SECRET
from tests.storage import helpers

ACCOUNT = "AC" + "0123456789abcdef" * 2
SERVICE = "VA" + "fedcba9876543210" * 2
VERIFICATIONS = f"/twilio/v2/Services/{SERVICE}/Verifications"
CHECK = f"/twilio/v2/Services/{SERVICE}/VerificationCheck"
_phones = itertools.count(9876540000)


def new_phone() -> str:
    """Nobody's so far: what is counted for one does not meet another test."""
    return f"+91{next(_phones)}"


@dataclass(frozen=True)
class Twilio:
    """A program that was written for Twilio, pointed at ``url``."""

    app: Flask
    url: str
    key: str

    def service(self, sid: str = SERVICE) -> Any:
        client = Client(ACCOUNT, self.key)
        client.verify.base_url = f"{self.url}/twilio"
        return client.verify.v2.services(sid)

    def code(self, phone: str) -> str:
        """The newest that the phone got."""
        inbox = dependencies_of(self.app).service.inbox(200)
        return [code for message, code in inbox if message.verification.phone == phone][-1]

    def pass_time(self, seconds: float) -> None:
        for engine in engines_of(self.app):
            helpers.pass_time(engine, seconds)


@contextmanager
def sandbox(folder: Path, **settings: str) -> Iterator[Flask]:
    """An application for many tests, each with a phone of its own."""
    where = {"DATABASE_URL": databases.new_sqlite_file(folder / "otp.db"), "OTP_SECRET": SECRET}
    app = create_app(where | settings, instance=folder)
    app.testing = True
    yield app
    for engine in engines_of(app):
        engine.dispose()


def refused(call: Callable[[], object]) -> tuple[int, int | None]:
    """Status and number of the exception that a program has to handle."""
    with pytest.raises(TwilioRestException) as raised:
        call()
    return raised.value.status, raised.value.code


def basic(key: str, user: str = ACCOUNT) -> dict[str, str]:
    pair = base64.b64encode(f"{user}:{key}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def number(answer: TestResponse) -> tuple[int, int]:
    """Status and number of a refusal, which has all of Twilio's fields."""
    told = answer.get_json()
    assert set(told) == {"code", "message", "more_info", "status"}
    assert told["status"] == answer.status_code
    assert told["more_info"] == f"https://www.twilio.com/docs/errors/{told['code']}"
    return answer.status_code, told["code"]
