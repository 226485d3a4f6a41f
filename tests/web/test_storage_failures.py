"""What a caller is told when the database is not there."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from otp_service.storage.models.base import db
from otp_service.storage.models.dialects import SCHEMA
from tests.conftest import MakeApp

PHONE = {"phone_number": "+919876543210"}
CALLS = [
    ("POST", "/send-otp", PHONE),
    ("POST", "/resend-otp", PHONE),
    ("POST", "/verify-otp", PHONE | {"otp": "123456"}),
    ("GET", "/verifications/p0123456789abcdef", None),
    ("DELETE", "/verifications/p0123456789abcdef", None),
    ("GET", "/ready", None),
]


@pytest.fixture
def without_tables(make_app: MakeApp, postgres_url: str) -> Flask:
    app = make_app(DATABASE_URL=postgres_url)
    with app.app_context(), db.engine.connect() as connection:
        connection.execute(sa.text(f"DROP SCHEMA {SCHEMA} CASCADE"))
    return app


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_what_the_database_cant_do_is_503_and_asks_to_come_back(
    without_tables: Flask, method: str, path: str, body: dict[str, str] | None
) -> None:
    response = without_tables.test_client().open(path, method=method, json=body)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1
    expected = "not_ready" if path == "/ready" else "storage_unavailable"
    assert response.get_json()["error"]["code"] == expected


def test_the_sandboxs_page_still_comes_and_its_messages_are_503(without_tables: Flask) -> None:
    client = without_tables.test_client()
    assert client.get("/sandbox").status_code == 200
    assert client.get("/sandbox/messages").status_code == 503


def test_health_asks_no_database(without_tables: Flask) -> None:
    assert without_tables.test_client().get("/health").status_code == 200


def test_a_restarted_database_is_noticed_before_a_connection_is_used(
    make_app: MakeApp, postgres_url: str
) -> None:
    app = make_app(DATABASE_URL=postgres_url)
    client = app.test_client()
    assert client.post("/send-otp", json=PHONE).status_code == 200
    other = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with other.connect() as connection:  # what a restart does to every connection
        end = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
        connection.execute(sa.text(end + " WHERE application_name = 'otp_service'"))
    other.dispose()
    answer = client.post("/verify-otp", json=PHONE | {"otp": "000000"})
    assert answer.status_code == 200
