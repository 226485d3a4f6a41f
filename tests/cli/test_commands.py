"""The commands, as an operator types them."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from otp_service import create_app
from otp_service.storage.models.base import db, engines_of
from tests.cli.helpers import flask
from tests.conftest import SECRET, MakeApp
from tests.storage.upgrades import engine_on


@pytest.mark.parametrize(
    "command",
    [
        "cleanup",
        "erase --yes +919876543210",
        "why +919876543210",
        "unlock +919876543210",
        "audit",
        "keys create shop",
        "keys list",
        "keys revoke x",
        "keys signing list",
        "keys signing rotate",
        "keys signing revoke x",
    ],
)
def test_every_command_says_plainly_when_the_database_is_not_there(
    command: str, tmp_path: Path
) -> None:
    done = run_on("postgresql://otp:hunter2@127.0.0.1:1/otp", tmp_path, command)
    assert done.exit_code == 1
    assert "postgresql can't be reached" in done.stderr
    assert "hunter2" not in done.output
    assert isinstance(done.exception, SystemExit)  # and no other, which would be a traceback


def run_on(database_url: str, tmp_path: Path, command: str) -> Result:
    """The command on a database as it is, in this process."""
    settings = {"DATABASE_URL": database_url, "FALLBACK_DATABASE_URL": "off", "OTP_SECRET": SECRET}
    app = create_app(settings, instance=tmp_path)
    done = app.test_cli_runner().invoke(args=["otp", *command.split()])
    for engine in engines_of(app):
        engine.dispose()
    return done


@pytest.mark.from_nothing
@pytest.mark.parametrize(
    "command",
    [
        "cleanup",
        "erase --yes +919876543210",
        "why +919876543210",
        "unlock +919876543210",
        "audit",
        "keys list",
        "keys revoke x",
        "keys signing list",
        "keys signing revoke x",
        "worker",
    ],
)
def test_every_command_says_what_to_do_when_there_are_no_tables(
    command: str, database_url: str, tmp_path: Path
) -> None:
    done = run_on(database_url, tmp_path, command)
    assert done.exit_code == 1
    assert "has no tables yet" in done.output
    assert "otp init-db" in done.output
    assert isinstance(done.exception, SystemExit)


@pytest.mark.from_nothing
@pytest.mark.parametrize("command", ["keys create shop", "keys signing rotate"])
def test_the_first_key_can_be_made_before_there_are_tables(
    command: str, database_url: str, tmp_path: Path
) -> None:
    made = run_on(database_url, tmp_path, command)
    assert made.exit_code == 0, made.output
    assert run_on(database_url, tmp_path, "keys list").exit_code == 0


@pytest.mark.from_nothing
def test_where_the_role_may_make_no_tables_the_first_key_needs_init_db(
    postgres_url: str, tmp_path: Path
) -> None:
    with engine_on(postgres_url) as engine, engine.connect() as connection:
        connection.execute(sa.text("CREATE ROLE otp_test_maker LOGIN PASSWORD 'makes'"))
        try:
            url = engine.url.set(username="otp_test_maker", password="makes")
            done = run_on(url.render_as_string(hide_password=False), tmp_path, "keys create shop")
        finally:
            connection.execute(sa.text("DROP ROLE otp_test_maker"))
    assert done.exit_code == 1
    assert "has no tables yet" in done.output
    assert "otp init-db" in done.output
    assert isinstance(done.exception, SystemExit)


def test_a_schema_of_an_older_release_is_named_as_such(
    make_app: MakeApp, database_url: str
) -> None:
    app = make_app(DATABASE_URL=database_url)
    with app.app_context(), db.engine.begin() as connection:
        schema = "otp_service." if database_url.startswith("postgresql") else ""
        connection.execute(sa.text(f"DROP TABLE {schema}audit"))
        connection.execute(sa.text(f"UPDATE {schema}alembic_version SET version_num = '0004'"))
    done = app.test_cli_runner().invoke(args=["otp", "audit"])
    assert done.exit_code == 1
    assert "schema is 0004, this release needs" in done.output
    assert "otp init-db" in done.output


@pytest.mark.parametrize("where", [0, 1, -1])
@pytest.mark.parametrize(
    "command",
    [
        "init-db x",
        "cleanup x",
        "check --send x",
        "erase x --yes",
        "why x",
        "unlock x",
        "void --issued-before x",
        "audit --actor x",
        "keys create x",
        "keys revoke x",
        "keys signing revoke x",
    ],
)
def test_an_argument_that_is_no_text_is_refused(app: Flask, command: str, where: int) -> None:
    args = command.split()
    args[args.index("x") if where == -1 else where] = "caf\udce9"
    result = app.test_cli_runner().invoke(args=["otp", *args])
    assert result.exit_code == 2
    assert r"This argument is not UTF-8: caf\xe9" in result.output


def test_no_summary_of_a_command_is_cut_and_all_fit_80_columns(app: Flask) -> None:
    for group in ((), ("keys",), ("keys", "signing")):
        told = app.test_cli_runner().invoke(args=["otp", *group, "--help"]).output
        assert "..." not in told.partition("Commands:")[2]
        assert max(map(len, told.splitlines())) <= 80


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
    assert "Example: ./otp" in result.output
