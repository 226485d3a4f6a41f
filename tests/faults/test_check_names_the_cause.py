"""`otp check` names why a database can't be used, and what to do; never a password or a row."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from otp_service import create_app
from tests.conftest import SECRET, MakeApp
from tests.faults import gates
from tests.faults.cluster import Cluster
from tests.faults.loopback import LOOPBACK, free_port
from tests.faults.service import PHONE, Caller
from tests.faults.test_no_reason_to_fall_back import ask_for_a_password, read_only

PASSWORD = "hunter2"


def told(url: str, tmp_path: Path) -> str:
    """What it says of the database, on one line."""
    environ = {
        "DATABASE_URL": url,
        "FALLBACK_DATABASE_URL": f"sqlite:///{tmp_path}/fallback.db",
        "OTP_SECRET": SECRET,
    }
    app = create_app(environ, instance=tmp_path)
    done = app.test_cli_runner().invoke(args=["otp", "check"])
    assert done.exit_code == 1
    assert PASSWORD not in done.output
    lines = done.output.splitlines()
    found = next(n for n, text in enumerate(lines) if text.startswith("problem  database: "))
    return " ".join(line.strip() for line in lines[found : found + 2])


def url(port: int, role: str = "postgres", name: str = "postgres") -> str:
    return f"postgresql://{role}:{PASSWORD}@{LOOPBACK}:{port}/{name}"


def test_password_role_and_database(cluster: Cluster, tmp_path: Path) -> None:
    ask_for_a_password(cluster, "caller")
    cluster.sql("DROP ROLE IF EXISTS caller")
    cluster.sql("CREATE ROLE caller LOGIN PASSWORD 'right'")
    said = told(url(cluster.port, "caller"), tmp_path)
    assert 'password authentication failed for user "caller"' in said
    assert "Wrong password or user" in said
    cluster.sql(f"ALTER ROLE caller NOLOGIN PASSWORD '{PASSWORD}'")
    said = told(url(cluster.port, "caller"), tmp_path)
    assert 'role "caller" is not permitted to log in' in said
    assert "Does the role exist, may it log in" in said
    said = told(url(cluster.port, name="nowhere"), tmp_path)
    assert 'database "nowhere" does not exist' in said
    assert "No such database. The name after the last /" in said


@pytest.mark.parametrize(
    "text", ["Tenant or user not found", "(ENOTFOUND) tenant/user otp_service.abc not found"]
)
def test_the_tenant_of_a_pooler(tmp_path: Path, text: str) -> None:
    with gates.gate(gates.refusing("XX000", text)) as port:
        said = told(url(port, "otp_service"), tmp_path)
    assert text in said
    assert "the user is ROLE.PROJECT_REF" in said


def test_port_and_host_name(tmp_path: Path) -> None:
    said = told(url(free_port()), tmp_path)
    assert "can't be reached" in said
    assert "Nobody listens there. Is it running, and are the host, the port" in said
    said = told(f"postgresql://postgres:{PASSWORD}@no.such.host.invalid/otp", tmp_path)
    assert "can't be reached" in said
    assert "no address for no.such.host.invalid" in said
    assert "Is the host of DATABASE_URL written right, and does DNS answer here?" in said


def test_something_else_that_listens_there(tmp_path: Path) -> None:
    def answer(client: socket.socket) -> None:
        client.recv(1000)
        client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with gates.gate(answer) as port:
        said = told(url(port), tmp_path)
    assert "Something else than Postgres answers there" in said


def test_tables_and_rights(make_app: MakeApp, cluster: Cluster, tmp_path: Path) -> None:
    make_app(DATABASE_URL=cluster.url)
    cluster.sql("DROP ROLE IF EXISTS visitor")
    cluster.sql("CREATE ROLE visitor LOGIN")
    said = told(url(cluster.port, "visitor"), tmp_path)
    assert "SQLSTATE 42501" in said
    assert "The role lacks a right. Run migrations/supabase_setup.sql" in said
    cluster.sql("ALTER TABLE otp_service.codes RENAME TO elsewhere")
    cluster.sql("ALTER TABLE otp_service.attempts RENAME COLUMN correct TO right_one")
    said = told(url(cluster.port), tmp_path)
    assert "A table, a column or a function is missing" in said
    assert "otp init-db" in said


def test_a_server_that_only_reads(cluster: Cluster, tmp_path: Path) -> None:
    with read_only(cluster):
        said = told(url(cluster.port), tmp_path)
    assert "Connected to a read-only server, a standby perhaps" in said
    assert "DATABASE_URL must lead to the primary" in said


def test_a_row_is_never_told(make_app: MakeApp, cluster: Cluster, tmp_path: Path) -> None:
    """Of a refused connection the server's words are shown; of a statement they never are."""
    caller = Caller(make_app(DATABASE_URL=cluster.url))
    caller.send()
    cluster.sql("ALTER TABLE otp_service.verifications RENAME COLUMN attempts TO moved")
    cluster.sql("ALTER TABLE otp_service.verifications RENAME TO kept")
    cluster.sql(
        "CREATE VIEW otp_service.verifications AS"
        " SELECT *, phone::integer AS attempts FROM otp_service.kept"
    )
    said = told(url(cluster.port), tmp_path)
    assert "SQLSTATE 22003" in said  # value "+91…" is out of range for type integer
    assert PHONE[-5:] not in said
