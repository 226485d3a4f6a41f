"""The service of a fault test: Postgres behind a proxy, a fallback, and a caller's short words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from otp_service import create_app
from otp_service.storage.models.base import engines_of
from tests.conftest import SECRET
from tests.storage import helpers

PHONE = "+919876543210"


@dataclass(frozen=True)
class Answer:
    """``code`` is "ok", or the refusal's."""

    status: int
    code: str
    data: dict[str, Any]
    body: dict[str, Any]
    headers: dict[str, str]

    @classmethod
    def of(cls, status: int, body: dict[str, Any], headers: Iterable[tuple[str, str]]) -> Answer:
        code = "ok" if body["success"] else body["error"]["code"]
        return cls(status, code, body.get("data", {}), body, dict(headers))

    @property
    def id(self) -> str:
        return str(self.data["verification_id"])

    @property
    def otp(self) -> str:
        return str(self.data["otp"])


@dataclass(frozen=True)
class Caller:
    """A backend that calls this application."""

    app: Flask

    @property
    def http(self) -> FlaskClient:
        return self.app.test_client()

    def call(self, method: str, path: str, body: dict[str, object] | None = None) -> Answer:
        response = self.http.open(path, method=method, json=body)
        return Answer.of(response.status_code, response.get_json(), response.headers.items())

    def send(self, phone: str = PHONE, **more: object) -> Answer:
        return self.call("POST", "/send-otp", {"phone_number": phone, **more})

    def resend(self, phone: str = PHONE, **more: object) -> Answer:
        return self.call("POST", "/resend-otp", {"phone_number": phone, **more})

    def verify(self, otp: str, phone: str = PHONE, **more: object) -> Answer:
        return self.call("POST", "/verify-otp", {"phone_number": phone, "otp": otp, **more})

    def get(self, verification_id: str) -> Answer:
        return self.call("GET", f"/verifications/{verification_id}")

    def cancel(self, verification_id: str) -> Answer:
        return self.call("DELETE", f"/verifications/{verification_id}")

    def ready(self) -> Answer:
        answer = self.call("GET", "/ready")
        state = answer.data or answer.body["error"]["state"]
        return Answer(answer.status, answer.code, state, answer.body, answer.headers)

    def pass_time(self, seconds: float) -> None:
        for engine in engines_of(self.app):
            helpers.pass_time(engine, seconds)


def caller_at(database_url: str, **settings: str) -> Caller:
    """On databases as they are: it makes no tables."""
    return Caller(create_app({"OTP_SECRET": SECRET, **settings, "DATABASE_URL": database_url}))
