"""A pgbouncer of a test's own: connections to Postgres that change hands at each transaction."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg2

from tests.faults.cluster import USER
from tests.faults.loopback import LOOPBACK, free_port
from tests.faults.queries import ask
from tests.faults.waiting import until
from tests.system import need_program

SERVER_CONNECTIONS = 2
SETTINGS = """
[databases]
postgres = host={host} port={target} dbname=postgres user=postgres
[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 200
; seconds until it tries a Postgres again that was away (15 if nothing is said)
server_login_retry = 1
"""


class PgBouncer:
    """On 127.0.0.1, for the user postgres without a password, in front of the given port."""

    def __init__(self, target: int) -> None:
        program = need_program("pgbouncer", "/usr/sbin/pgbouncer", package="pgbouncer")
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="otp-test-pgbouncer-"))
        settings = self._folder / "pgbouncer.ini"
        settings.write_text(
            SETTINGS.format(
                host=LOOPBACK, port=self.port, target=target, connections=SERVER_CONNECTIONS
            )
        )
        if USER:  # it does not run as root
            shutil.chown(self._folder, USER)
        with (self._folder / "log").open("ab") as log:
            command = [program, str(settings)]
            self._process = subprocess.Popen(command, user=USER, stdout=log, stderr=log)
        try:
            until(self._answers)
        except BaseException:  # an interrupted test leaves no process either
            self.close()
            raise

    @property
    def url(self) -> str:
        return f"postgresql+psycopg2://postgres@{LOOPBACK}:{self.port}/postgres"

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder)

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self._folder / "log").read_text()
        try:
            return bool(ask(self.port, "SELECT 1"))
        except psycopg2.OperationalError:
            return False
