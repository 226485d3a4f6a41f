"""The commands, as an operator types them."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from otp_service import create_app
from otp_service.storage.models.base import db, engines_of
from otp_service.storage.models.verifications import VerificationRow
from tests.conftest import SECRET, MakeApp
from tests.storage.helpers import pass_time
from tests.storage.upgrades import engine_on

ROOT = Path(__file__).parents[2]
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
        connection.execute(sa.text("CREATE ROLE otp_test_maker LOGIN"))
        try:
            url = engine.url.set(username="otp_test_maker").render_as_string(hide_password=False)
            done = run_on(url, tmp_path, "keys create shop")
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


def on_a_terminal(database_url: str, *arguments: str, answer: bytes) -> tuple[int, str]:
    """The exit code, and what was on the screen."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "otp", *arguments],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url, "OTP_SECRET": SECRET},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    os.write(ours, answer)  # read when it is asked for
    with suppress(OSError):  # Linux's way of saying that the other side has closed
        while select.select([ours], [], [], 60)[0]:
            shown += os.read(ours, 65536)
    os.close(ours)
    return process.wait(30), shown.decode()


def test_a_reader_that_leaves_early_sees_no_traceback(app: Flask) -> None:
    for _ in range(40):
        app.test_cli_runner().invoke(args=["otp", "why", "+919876543210"])
    url = app.config["SQLALCHEMY_BINDS"][None]["url"]
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "otp", "audit"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "OTP_SECRET": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 1


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["keys list", "audit", "keys create shop"])
def test_a_disk_that_is_full_is_told_in_a_line(
    database_url: str, command: str, unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)  # empty is as if it were not set
    with Path("/dev/full").open("w") as full:
        done = run_with(database_url, command, stdout=full)
    assert done.returncode == 1
    assert done.stderr == "Error: what it shows can't be written: No space left on device\n"


def test_a_key_that_could_not_be_shown_is_in_the_audit_trail(database_url: str) -> None:
    with Path("/dev/full").open("w") as full:
        run_with(database_url, "keys create shop", stdout=full)
    assert "key.created" in run_with(database_url, "audit", stdout=subprocess.PIPE).stdout


def test_no_key_is_made_that_nobody_would_see(database_url: str) -> None:
    script = f"{sys.executable} -m otp_service keys create shop >&-"
    done = run_with(database_url, script, stdout=None, shell=True)
    assert done.returncode == 1
    assert done.stderr == "Error: there is no standard output to show the key on\n"


def run_with(
    database_url: str, command: str, *, stdout: int | IO[str] | None, shell: bool = False
) -> subprocess.CompletedProcess[str]:
    own = {"DATABASE_URL": database_url, "FALLBACK_DATABASE_URL": "off", "OTP_SECRET": SECRET}
    return subprocess.run(
        command if shell else [sys.executable, "-m", "otp_service", *command.split()],
        check=False,
        cwd=ROOT,
        env=os.environ | own,
        shell=shell,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


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


# --- ./otp ---


@pytest.fixture
def otp(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The executable, through a link to a link to it, from a folder of its own."""
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "first").symlink_to(ROOT / "otp")
    (tmp_path / "links" / "second").symlink_to("first")
    (tmp_path / "here").mkdir()

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        own = {"DATABASE_URL": f"sqlite:///{tmp_path}/otp.db", "OTP_SECRET": SECRET, "PATH": path}
        return subprocess.run(
            [tmp_path / "links" / "second", *arguments],
            cwd=tmp_path / "here",
            env=os.environ | own | settings,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_the_executable_works_from_any_folder_and_through_links(
    otp: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    assert otp("init-db").stdout == "The schema is up to date (sqlite).\n"
    assert otp("why", "+91 98765 43210").returncode == 0
    entries = otp("audit", "--json", "--phone", "+91 98765 43210").stdout
    assert '"action": "phone.explained"' in entries
    assert list((tmp_path / "here").iterdir()) == []


def test_the_executable_passes_on_how_a_command_ended(
    otp: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    away = otp("init-db", DATABASE_URL="postgresql://otp@127.0.0.1:1/otp?sslmode=disable")
    assert away.returncode == 75
    wrong = otp("audit", OTP_LENGTH="99")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("Error: the configuration has 1 problem:\n  - OTP_LENGTH")
    assert otp("bogus").returncode == 2
    told = otp("check", "--help", OTP_LENGTH="99")  # help is there for who gets it wrong
    assert told.stdout.startswith("Usage: otp check [OPTIONS]")


def test_the_first_make_run_shows_what_it_does(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.txt"):
        (tmp_path / name).symlink_to(ROOT / name)
    told = subprocess.run(
        ["make", "-n", "run"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert "Installing into it what requirements.txt lists" in told
    assert "--quiet" not in told
