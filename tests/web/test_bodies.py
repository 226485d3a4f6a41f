"""A body is read strictly: one JSON object of known fields, and not too large."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import Schema

from otp_service.domain.errors import InvalidRequest
from otp_service.storage.models.base import db
from otp_service.storage.models.verifications import VerificationRow
from otp_service.web.bodies import load_body
from tests.web.refusals import POSTS, post, refused

PHONE = {"phone_number": "+919876543210"}


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"],
)
def test_a_body_that_is_not_said_to_be_json_is_415(
    client: FlaskClient, path: str, kind: str
) -> None:
    refused(post(client, path, b"{}", kind), 415, "unsupported_media_type")


@pytest.mark.statement(18)
@pytest.mark.parametrize("path", POSTS)
def test_a_body_over_16_kib_is_413(client: FlaskClient, path: str) -> None:
    raw = json.dumps(PHONE).encode()
    refused(post(client, path, raw.ljust(16 * 1024 + 1)), 413, "body_too_large")
    assert post(client, path, raw.ljust(16 * 1024)).status_code != 413


@pytest.mark.statement(18)
@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"12",
        b'{"phone_number": NaN}',
        b'{"phone_number": Infinity}',
        b'{"phone_number": "\xff"}',
        '{"phone_number": "+919876543210"}'.encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b"[" * 8000,
        b'{"a":' * 3000,
        b"[" * 8000 + b"]" * 8000,
        b'{"phone_number": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"a": ' + b"1" * 5000 + b"}",
    ],
    ids=range(16),
)
def test_what_is_not_one_json_object_is_400(client: FlaskClient, path: str, raw: bytes) -> None:
    refused(post(client, path, raw), 400, "invalid_json")


@pytest.mark.statement(18)
@pytest.mark.parametrize(
    ("depth", "code"), [(19, "invalid_request"), (20, "invalid_json"), (900, "invalid_json")]
)
def test_nesting_has_a_limit_of_its_own(client: FlaskClient, depth: int, code: str) -> None:
    raw = b'{"phone_number": ' + b"[" * depth + b"]" * depth + b"}"
    refused(post(client, "/send-otp", raw), 400, code)


def test_a_bad_request_stores_nothing(app: Flask, client: FlaskClient) -> None:
    client.post("/send-otp", json=PHONE | {"unknown": 1})
    with app.app_context(), db.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(VerificationRow)) == 0


def test_of_a_thousand_unknown_fields_no_more_are_looked_at_than_are_told(app: Flask) -> None:
    looked_at: list[int] = []

    class Looking(Schema):
        def load(self, data: Any, **more: Any) -> Any:
            looked_at.append(len(data))
            return super().load(data, **more)

    body = json.dumps({str(number): 1 for number in range(1_000)})
    asked = app.test_request_context(data=body, content_type="application/json")
    with asked, pytest.raises(InvalidRequest) as caught:
        load_body(Looking())
    assert looked_at == [20]
    assert len(dict[str, Any](caught.value.details)["fields"]) == 20
