"""`otp init-db`, `otp cleanup`, `otp erase`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from otp_service.storage.models.base import db
from otp_service.storage.models.verifications import VerificationRow
from tests.cli.helpers import PHONE, flask, on_a_terminal
from tests.conftest import MakeApp
from tests.storage.helpers import pass_time


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
    result = app.test_cli_runner().invoke(args=["otp", "erase", "--yes", "+91 98765 43210"])
    assert result.output.startswith("2 verifications of +91••••3210 erased")
    assert count(app) == 1
    with app.app_context(), db.engine.connect() as connection:
        for table in db.metadata.tables.values():
            stored = connection.execute(sa.select(table)).all()
            assert "9876543210" not in str(stored), table.name


def test_erase_refuses_what_is_no_number(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["otp", "erase", "hello"])
    assert result.exit_code == 2


def test_without_a_terminal_erase_wants_yes_and_deletes_nothing(
    app: Flask, client: FlaskClient
) -> None:
    client.post("/send-otp", json=PHONE)
    result = app.test_cli_runner().invoke(args=["otp", "erase", "+919876543210"], input="y\n")
    assert result.exit_code == 2
    assert "give --yes" in result.output
    assert count(app) == 1


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (b"y\n", 0, "1 verification of +91••••3210 erased"),
        (b"n\n", 1, "nothing is deleted"),
        (b"\n", 1, "nothing is deleted"),
    ],
)
def test_on_a_terminal_erase_asks(
    app: Flask, client: FlaskClient, answer: bytes, code: int, words: str
) -> None:
    client.post("/send-otp", json=PHONE)
    url = app.config["SQLALCHEMY_BINDS"][None]["url"]
    done, shown = on_a_terminal(url, "erase", "+919876543210", answer=answer)
    assert "Delete all that is known of +91••••3210? It can't be brought back. [y/N]" in shown
    assert words in shown
    assert "Traceback" not in shown
    assert (done, count(app)) == (code, code)


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
