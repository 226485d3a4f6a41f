"""Backups as docs/backup.md makes them: dumps, base backups with an archive of the log, files."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from tests.faults.cluster import BINARIES, USER, Cluster, _give_away, _run
from tests.faults.loopback import LOOPBACK
from tests.faults.waiting import until

SCHEMA = "--schema=otp_service"
WITHOUT_CODES = "--exclude-table-data=otp_service.codes"


def dump(cluster: Cluster, file: Path, *options: str) -> None:
    to = [f"--file={file}", "--format=custom", f"--dbname={_libpq(cluster)}"]
    subprocess.run([BINARIES / "pg_dump", SCHEMA, *options, *to], check=True)


def restore(cluster: Cluster, file: Path) -> None:
    """Into a database that has no schema of ours."""
    options = ["--no-owner", "--exit-on-error", f"--dbname={_libpq(cluster)}"]
    subprocess.run([BINARIES / "pg_restore", *options, file], check=True)


def _libpq(cluster: Cluster) -> str:
    return cluster.url.replace("+psycopg2", "")


def keep_log(cluster: Cluster, archive: Path) -> None:
    """From now on every file of its log goes to this folder as well. It is started anew."""
    _give_away(archive)
    copy = f"test ! -f {archive}/%f && cp %p {archive}/%f"
    for setting in ("archive_mode = on", f"archive_command = '{copy}'"):
        cluster.sql(f"ALTER SYSTEM SET {setting}")
    cluster.stop("fast")
    cluster.start()


def base_backup(cluster: Cluster, folder: Path) -> Cluster:
    """A copy of all of it, as of now; not started."""
    _give_away(folder)
    source = [f"--host={LOOPBACK}", f"--port={cluster.port}", "--username=postgres"]
    _run("pg_basebackup", folder, *source, "--checkpoint=fast", "--no-sync")
    return Cluster(folder)


def archive_all(cluster: Cluster) -> None:
    """Return when what was committed before is in the archive."""
    [(file,)] = cluster.sql("SELECT pg_walfile_name(pg_switch_wal())")
    archived = f"SELECT last_archived_wal >= '{file}' FROM pg_stat_archiver"
    until(lambda: cluster.sql(archived) == [(True,)], 60)


def recover(backup: Cluster, archive: Path, time: object) -> None:
    """Start it as it was at that time; return when it can be written to."""
    data = backup.folder / "data"
    settings = {
        "archive_mode": "off",
        "restore_command": f"cp {archive}/%f %p",
        "recovery_target_time": str(time),
        "recovery_target_action": "promote",
    }
    with (data / "postgresql.auto.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    signal = data / "recovery.signal"
    signal.touch()
    if USER:
        shutil.chown(signal, USER)
    backup.start()
    until(lambda: backup.sql("SELECT pg_is_in_recovery()") == [(False,)], 60)


def copy_file(database: Path, copy: Path) -> None:
    """Of a SQLite file that is in use."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM INTO ?", [str(copy)])
