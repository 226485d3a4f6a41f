"""Backups that are restored to an earlier moment: what was used since never verifies again."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import MakeApp
from tests.faults import backups
from tests.faults.cluster import Cluster
from tests.faults.service import PHONE, Caller

OTHER = "+919876543211"
OFF = {"FALLBACK_DATABASE_URL": "off"}
TIMELINE = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)"
pytestmark = pytest.mark.usefixtures("patient")


@pytest.fixture
def folders() -> Iterator[list[Path]]:
    """Empty ones, for clusters: they can't be pytest's own (see `Cluster.create`)."""
    made = [Path(tempfile.mkdtemp(prefix="otp-test-restore-")) for _ in range(3)]
    yield made
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def elsewhere(folders: list[Path]) -> Iterator[Cluster]:
    """Another Postgres, with nothing in it."""
    cluster = Cluster.create(folders[0])
    cluster.start()
    yield cluster
    cluster.remove()


@pytest.fixture
def service(make_app: MakeApp, cluster: Cluster) -> Caller:
    return Caller(make_app(DATABASE_URL=cluster.url, **OFF))


def run(caller: Caller, *command: str) -> str:
    done = caller.app.test_cli_runner().invoke(args=["otp", *command])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_dump_in_another_postgres_makes_used_codes_unused_until_they_are_voided(
    service: Caller, cluster: Cluster, elsewhere: Cluster, make_app: MakeApp, tmp_path: Path
) -> None:
    first, second = service.send(), service.send(OTHER)
    backups.dump(cluster, tmp_path / "otp.dump")
    for sent, phone in ((first, PHONE), (second, OTHER)):
        assert service.verify(sent.otp, phone).code == "ok"
    backups.restore(elsewhere, tmp_path / "otp.dump")
    assert cluster.sql(TIMELINE) == elsewhere.sql(TIMELINE)  # which can't tell them apart
    restored = Caller(make_app(DATABASE_URL=elsewhere.url, **OFF))
    assert restored.verify(first.otp).code == "ok"  # a second time: hence the next line
    assert run(restored, "void", "--yes").startswith("1 verification ")
    assert restored.verify(second.otp, OTHER).code == "otp_not_found"
    assert restored.get(second.id).data["status"] == "canceled"
    again = restored.send(OTHER)
    assert restored.verify(again.otp, OTHER).code == "ok"


def test_a_dump_without_codes_verifies_none_whatever_is_forgotten(
    service: Caller, cluster: Cluster, elsewhere: Cluster, make_app: MakeApp, tmp_path: Path
) -> None:
    sent = service.send()
    backups.dump(cluster, tmp_path / "otp.dump", backups.WITHOUT_CODES)
    assert service.verify(sent.otp).code == "ok"
    backups.restore(elsewhere, tmp_path / "otp.dump")
    restored = Caller(make_app(DATABASE_URL=elsewhere.url, **OFF))
    assert restored.get(sent.id).data["status"] == "pending"
    for more in ({}, {"verification_id": sent.id}):
        assert restored.verify(sent.otp, **more).code == "invalid_otp"
    run(restored, "void", "--yes")
    again = restored.send()
    assert restored.verify(again.otp).code == "ok"


def test_a_snapshot_keeps_its_timeline_so_its_codes_have_to_be_voided(
    service: Caller, cluster: Cluster, folders: list[Path], make_app: MakeApp
) -> None:
    first, second = service.send(), service.send(OTHER)
    snapshot = backups.base_backup(cluster, folders[0])
    for sent, phone in ((first, PHONE), (second, OTHER)):
        assert service.verify(sent.otp, phone).code == "ok"
    try:
        snapshot.start()
        assert snapshot.sql(TIMELINE) == cluster.sql(TIMELINE)
        restored = Caller(make_app(DATABASE_URL=snapshot.url, **OFF))
        assert restored.verify(first.otp).code == "ok"  # a second time
        run(restored, "void", "--yes")
        assert restored.verify(second.otp, OTHER).code == "otp_not_found"
    finally:
        snapshot.remove()


def test_a_recovery_to_an_earlier_time_is_a_timeline_of_its_own_where_codes_are_void(
    make_app: MakeApp, folders: list[Path]
) -> None:
    archive, *_ = folders
    source = Cluster.create(folders[1])
    backup = None
    try:
        source.start()
        backups.keep_log(source, archive)
        service = Caller(make_app(DATABASE_URL=source.url, **OFF))
        backup = backups.base_backup(source, folders[2])
        sent = service.send()
        [(time,)] = source.sql("SELECT clock_timestamp()")
        assert service.verify(sent.otp).code == "ok"
        backups.archive_all(source)
        source.stop()
        backups.recover(backup, archive, time)
        assert backup.sql("SELECT status, timeline FROM otp_service.verifications") == [
            ("pending", "00000001")
        ]
        assert backup.sql(TIMELINE) == [("00000002",)]
        restored = Caller(make_app(DATABASE_URL=backup.url, **OFF))
        for more in ({}, {"verification_id": sent.id}):
            assert restored.verify(sent.otp, **more).code == "otp_not_found"
        assert restored.get(sent.id).data["status"] == "canceled"
        assert restored.verify(restored.send().otp).code == "ok"
    finally:
        source.remove()
        if backup:
            backup.remove()


def test_a_sqlite_file_is_copied_whole_while_it_is_written_to(
    make_app: MakeApp, tmp_path: Path
) -> None:
    database, copy = tmp_path / "otp.db", tmp_path / "otp-backup.db"
    service = Caller(make_app(DATABASE_URL=f"sqlite:///{database}"))
    before = {phone: service.send(phone) for phone in (PHONE, OTHER)}
    with ThreadPoolExecutor(4) as pool:
        sends = pool.map(service.send, [f"+9198765{number:05}" for number in range(120)])
        first = next(sends)
        backups.copy_file(database, copy)
        known = {sent.id for sent in (*before.values(), first)}
        everything = known | {sent.id for sent in sends}
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        counts = "SELECT id, (SELECT count(*) FROM codes WHERE verification_id = v.id)"
        copied = dict(connection.execute(f"{counts} FROM verifications v").fetchall())
    assert known <= copied.keys() <= everything
    assert set(copied.values()) == {1}
    for phone, sent in before.items():
        assert service.verify(sent.otp, phone).code == "ok"
    restored = Caller(make_app(DATABASE_URL=f"sqlite:///{copy}"))
    assert restored.verify(before[PHONE].otp).code == "ok"  # a second time
    assert run(restored, "void", "--yes").startswith(f"{len(copied) - 1} verifications")
    assert restored.verify(before[OTHER].otp, OTHER).code == "otp_not_found"
