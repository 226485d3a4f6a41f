"""A dump of a Supabase project, restored into a new one as docs/backup.md says it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.faults.cluster import BINARIES
from tests.storage.supabase import catalogs, closed, paste, run, url_of
from tests.storage.upgrades import add_rows, engine_on, rows
from tests.system import need_program

pytestmark = pytest.mark.from_nothing


def postgres_program(engine: sa.Engine, name: str, *arguments: str) -> None:
    """Of the server's own version: what a later one writes, an earlier server may not know."""
    version = run(engine, "SHOW server_version_num")[0][0][:2]
    ours, theirs = str(BINARIES / name), f"/usr/lib/postgresql/{version}/bin/{name}"
    told = subprocess.run([ours, "--version"], check=True, capture_output=True, text=True).stdout
    fits = f"(PostgreSQL) {version}." in told
    program = ours if fits else need_program(theirs, package=f"postgresql-client-{version}")
    subprocess.run([program, *arguments], check=True)


def test_pasted_restored_and_pasted_again_it_is_as_closed_as_before(
    owner: sa.Engine, tmp_path: Path
) -> None:
    password = paste(owner)["password"]
    add_rows(owner)
    before = rows(owner), catalogs(owner), closed(owner)
    database = "--dbname=" + url_of(owner).replace("+psycopg2", "")
    file = str(tmp_path / "otp.dump")
    postgres_program(
        owner, "pg_dump", "--format=custom", "--schema=otp_service", f"--file={file}", database
    )
    run(owner, "DROP SCHEMA otp_service CASCADE")  # a new project, in which there is nothing

    paste(owner)
    run(owner, "DROP SCHEMA otp_service CASCADE")
    postgres_program(
        owner, "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", database, file
    )
    paste(owner)

    assert (rows(owner), catalogs(owner), closed(owner)) == before
    with engine_on(url_of(owner, "otp_service", password)) as service:
        assert run(service, "SELECT id FROM otp_service.verifications") == [("p1",)]
