"""What holds secrets or codes is this account's alone, whatever the umask and what was there."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from otp_service import create_app, private_files
from otp_service.observability import multiprocess
from otp_service.settings.env_file import process_environment
from otp_service.storage.models.base import engines_of
from tests.conftest import SECRET

pytestmark = pytest.mark.statement(32)


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def start(folder: Path, **settings: str) -> None:
    """In the sandbox, with its secret and a database in ``folder``."""
    app = create_app(settings, instance=folder)
    for engine in engines_of(app):
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS t (a)")
        engine.dispose()


def open_to_others(folder: Path) -> list[str]:
    return [str(each) for each in [folder, *folder.rglob("*")] if mode(each) & 0o077]


@pytest.mark.usefixtures("umask")
def test_what_is_made_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "instance"
    start(folder)
    assert {each.name for each in folder.iterdir()} >= {"otp_secret"}
    assert open_to_others(tmp_path / "new") == []


@pytest.mark.usefixtures("umask")
def test_what_is_there_and_open_is_closed(tmp_path: Path) -> None:
    start(tmp_path / "instance")
    paths = [tmp_path / "instance", *(tmp_path / "instance").iterdir()]
    for path in paths:
        path.chmod(0o777 if path.is_dir() else 0o666)
    start(tmp_path / "instance")
    assert open_to_others(tmp_path / "instance") == []


def test_so_is_a_database_elsewhere_with_what_is_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o777)
    for name in ("otp.db", "otp.db-wal", "otp.db-shm"):
        (folder / name).touch()
        (folder / name).chmod(0o666)
    private_files.sqlite(folder / "otp.db")
    assert open_to_others(folder) == []


@pytest.mark.parametrize("shared", [0o755, 0o775, 0o1777])
def test_a_folder_that_is_not_ours_alone_stays_as_it_is(tmp_path: Path, shared: int) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    folder.chmod(shared)
    private_files.sqlite(folder / "otp.db")
    assert (mode(folder), mode(folder / "otp.db")) == (shared, 0o600)


def not_ours(self: Path, mode: int) -> None:
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.parametrize(("had", "is_taken"), [(0o666, False), (0o604, False), (0o660, True)])
def test_a_file_of_another_account_is_refused_if_everybody_may_use_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, had: int, is_taken: bool
) -> None:
    path = tmp_path / "otp.db"
    path.touch()
    path.chmod(had)
    monkeypatch.setattr(Path, "chmod", not_ours)
    if is_taken:  # by a group that a volume is given, for example
        private_files.sqlite(path)
    else:
        with pytest.raises(PermissionError, match="not ours to close"):
            private_files.sqlite(path)


def test_of_a_folder_of_another_account_the_log_warns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o777)
    monkeypatch.setattr(Path, "chmod", not_ours)
    private_files.file(tmp_path / "otp.db")
    assert "chmod 700" in caplog.text


@pytest.mark.usefixtures("umask")
def test_the_counts_of_several_processes_are_private_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(multiprocess.FOLDER, str(tmp_path / "counts"))
    assert multiprocess.shared_folder()
    with multiprocess.shared_counts(2):
        assert list((tmp_path / "counts").iterdir())
        assert open_to_others(tmp_path / "counts") == []


@pytest.mark.parametrize(("had", "is_said"), [(0o644, True), (0o666, True), (0o640, False)])
def test_an_open_env_file_is_said_to_be_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, had: int, is_said: bool
) -> None:
    caplog.set_level(logging.WARNING)
    (tmp_path / ".env").write_text(f"OTP_SECRET={SECRET}\n")
    (tmp_path / ".env").chmod(had)
    assert process_environment(tmp_path)["OTP_SECRET"] == SECRET
    assert ("chmod 600 .env" in caplog.text) == is_said
    assert SECRET not in caplog.text
