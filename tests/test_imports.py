"""What a server imports: it starts sooner and is smaller without what it does not need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SECRET

ROOT = Path(__file__).parent.parent
SERVES = """
import json, os, sys

import wsgi
from otp_service import create_app
from otp_service.storage import schema
from otp_service.storage.models.base import engines_of

app = create_app()
schema.upgrade(engines_of(app)[0])
client, phone = app.test_client(), {"phone_number": "+919876543210"}
client.get("/health")
code = client.post("/send-otp", json=phone).get_json()["data"]["otp"]
assert client.post("/verify-otp", json=phone | {"otp": code}).get_json()["success"]
"""
MODULES = "print(json.dumps(list(sys.modules)))"
FOR_COMMANDS_AND_DOCUMENTS = {
    "alembic", "apispec", "cryptography", "flask_migrate", "jwt", "mako", "yaml",
    "google.protobuf", "opentelemetry", "opentelemetry.trace",
    "otp_service.cli.check", "otp_service.cli.database", "otp_service.cli.keys",
    "otp_service.simulator",
}  # fmt: skip


def imported(database_url: str, folder: Path, then: str = "", **settings: str) -> set[str]:
    """By what serves a send and a check, and does something else ``then``."""
    environ = {"DATABASE_URL": database_url, "FALLBACK_DATABASE_URL": "off", "OTP_SECRET": SECRET}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([SERVES, then, MODULES])],
        cwd=ROOT,
        env=environ | settings | {"HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_to_serve_nothing_is_imported_that_is_for_commands_and_documents(
    database_url: str, tmp_path: Path
) -> None:
    assert imported(database_url, tmp_path) & FOR_COMMANDS_AND_DOCUMENTS == set()


@pytest.mark.parametrize(
    ("then", "needed"),
    [
        ("client.get('/openapi.json')", "apispec"),
        ("app.test_cli_runner().invoke(args=['otp', 'init-db'])", "otp_service.cli.database"),
        ("wsgi.create_app()", "flask_migrate"),
    ],
)
def test_it_is_imported_when_it_is_needed(
    sqlite_url: str, tmp_path: Path, then: str, needed: str
) -> None:
    assert needed in imported(sqlite_url, tmp_path, then)


@pytest.mark.from_nothing
def test_alembic_is_imported_where_there_is_something_to_upgrade(
    sqlite_url: str, tmp_path: Path
) -> None:
    assert "alembic" in imported(sqlite_url, tmp_path)


def test_cryptography_is_imported_where_proofs_are_made(sqlite_url: str, tmp_path: Path) -> None:
    assert "cryptography" in imported(sqlite_url, tmp_path, OTP_PROOF="phone")


def test_opentelemetry_is_imported_where_spans_are_asked_for(
    sqlite_url: str, tmp_path: Path
) -> None:
    assert "opentelemetry.trace" in imported(sqlite_url, tmp_path, OTEL_TRACES_EXPORTER="otlp")
