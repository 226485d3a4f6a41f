"""The commands, as an operator types them."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from otp_service.storage.models import VerificationRow, db
from tests.conftest import SECRET, MakeApp
from tests.storage.helpers import pass_time

ROOT = Path(__file__).parent.parent
PHONE = {"phone_number": "+919876543210"}


def flask(database_url: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    own = {"DATABASE_URL": database_url, "FALLBACK_DATABASE_URL": "off", "OTP_SECRET": SECRET}
    environ = os.environ | own | settings
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "otp", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.from_nothing
def test_init_db_succeeds_for_four_at_once_and_again(database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: flask(database_url, "init-db"), range(4)))
    assert [d.returncode for d in done] == [0] * 4, [d.stderr for d in done]
    again = flask(database_url, "init-db")
    assert again.returncode == 0
    assert "up to date" in again.stdout


def test_init_db_says_when_the_database_is_not_there() -> None:
    done = flask("postgresql://otp:hunter2@127.0.0.1:1/otp", "init-db")
    assert done.returncode == 75
    assert "the postgresql database is away: ConnectFailed" in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command", ["cleanup", "erase +919876543210", "keys create shop", "keys list", "keys revoke x"]
)
def test_every_command_says_plainly_when_the_database_is_not_there(command: str) -> None:
    done = flask("postgresql://otp:hunter2@127.0.0.1:1/otp", *command.split())
    assert done.returncode == 1
    assert "the database can't be reached or refuses" in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_configuration_that_cant_work_exits_with_2_and_says_why() -> None:
    done = flask("mysql://db", "init-db", OTP_LENGTH="99")
    assert done.returncode == 2
    assert "DATABASE_URL must be" in done.stderr
    assert "OTP_LENGTH must be" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["init-db", "cleanup", "erase"])
def test_every_command_has_help_with_an_example(app: Flask, command: str) -> None:
    result = app.test_cli_runner().invoke(args=["otp", *command.split(), "--help"])
    assert result.exit_code == 0
    assert "Example: flask --app wsgi otp" in result.output


def count(app: Flask, **where: str) -> int:
    with app.app_context(), db.engine.connect() as connection:
        query = sa.select(sa.func.count()).select_from(VerificationRow).filter_by(**where)
        return connection.scalar(query) or 0


def test_cleanup_marks_what_expired_and_deletes_what_is_old(
    make_app: MakeApp, database_url: str
) -> None:
    app = make_app(DATABASE_URL=database_url, OTP_RETENTION_DAYS="7")
    run, client = app.test_cli_runner().invoke, app.test_client()
    client.post("/send-otp", json=PHONE)
    with app.app_context():
        pass_time(db.engine, 181)
        assert "1 marked as expired, 0 deleted." in run(args=["otp", "cleanup"]).output
        assert count(app, status="expired") == 1
        pass_time(db.engine, 7 * 86_400)
    client.post("/send-otp", json=PHONE)
    assert "0 marked as expired, 1 deleted." in run(args=["otp", "cleanup"]).output
    assert count(app) == 1


def test_erase_removes_one_person_everywhere_and_says_how_much(
    make_app: MakeApp, database_url: str
) -> None:
    app = make_app(DATABASE_URL=database_url)
    client = app.test_client()
    for purpose in ("login", "payment"):
        client.post("/send-otp", json=PHONE | {"purpose": purpose})
        client.post("/verify-otp", json=PHONE | {"purpose": purpose, "otp": "000000"})
    client.post("/send-otp", json={"phone_number": "+14155552671"})
    result = app.test_cli_runner().invoke(args=["otp", "erase", "+91 98765 43210"])
    assert result.output.startswith("2 verification(s) of +91••••3210 erased")
    assert count(app) == 1
    with app.app_context(), db.engine.connect() as connection:
        for table in db.metadata.tables.values():
            stored = connection.execute(sa.select(table)).all()
            assert "9876543210" not in str(stored), table.name


def test_erase_refuses_what_is_no_number(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["otp", "erase", "hello"])
    assert result.exit_code == 2


def test_a_release_that_is_rolled_back_leaves_the_newer_schema_and_starts(
    make_app: MakeApp, database_url: str
) -> None:
    app = make_app(DATABASE_URL=database_url)
    with app.app_context(), db.engine.begin() as connection:
        schema = "otp_service." if database_url.startswith("postgresql") else ""
        connection.execute(sa.text(f"UPDATE {schema}alembic_version SET version_num = '9999'"))
    done = app.test_cli_runner().invoke(args=["otp", "init-db"])
    assert done.exit_code == 0
    assert "newer than this release" in done.output
