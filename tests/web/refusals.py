"""What a refused request is answered."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

POSTS = ("/send-otp", "/resend-otp", "/verify-otp")
JSON = {"Content-Type": "application/json"}


def post(
    client: FlaskClient, path: str, raw: bytes, kind: str = "application/json"
) -> TestResponse:
    return client.post(path, data=raw, content_type=kind)


def refused(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status
    answer: dict[str, Any] = response.get_json()
    assert answer["success"] is False
    assert answer["error"]["code"] == code
    assert isinstance(answer["message"], str)
    return answer


def error(answer: TestResponse) -> dict[str, Any]:
    details: dict[str, Any] = answer.get_json()["error"]
    return details
