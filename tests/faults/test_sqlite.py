"""SQLite in trouble: a full disk, other processes, a lock that nobody gives back."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from otp_service.storage import api_keys
from otp_service.storage.db import engine as engines
from otp_service.storage.models.base import engines_of
from tests.conftest import SECRET, MakeApp
from tests.delivery import misbehaving
from tests.delivery.misbehaving import code_in
from tests.faults.processes import Server, Servers, account, at_once
from tests.faults.proxy import Proxy
from tests.faults.service import PHONE, Caller
from tests.faults.waiting import until
from tests.storage.helpers import wrong
from tests.system import need_program

OTHER_PHONE = "+919876543211"
ACCEPT = misbehaving.say(misbehaving.http())
HOLD_THE_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("DELETE FROM verifications")
print("held", flush=True)
sys.stdin.read()
"""


class Disk:
    """So small that a test can fill it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        with suppress(OSError), (self.folder / "fill").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def free(self) -> None:
        (self.folder / "fill").unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    program = need_program("mount", package="mount")
    mount = [program, "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = f"a small disk can't be made without the right to mount: {done.stderr.strip()}"
        if os.environ.get("TEST_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def gupshup() -> Iterator[misbehaving.Server]:
    """Takes every message and keeps count."""
    with misbehaving.serve(ACCEPT) as server:
        yield server


@pytest.fixture(params=["only database", "fallback"])
def settings(request: pytest.FixtureRequest, disk: Disk) -> dict[str, str]:
    """The small disk is where codes are kept: always, or since Postgres can't be reached."""
    url = f"sqlite:///{disk.folder / 'otp.db'}"
    if request.param == "only database":
        return {"DATABASE_URL": url}
    urls: dict[str, str] = request.getfixturevalue("urls")
    return urls | {"FALLBACK_DATABASE_URL": url}


@pytest.fixture
def caller(
    request: pytest.FixtureRequest,
    make_app: MakeApp,
    settings: dict[str, str],
    gupshup: misbehaving.Server,
) -> Caller:
    caller = Caller(make_app(**settings, **account(gupshup.url)))
    if "FALLBACK_DATABASE_URL" in settings:
        proxy: Proxy = request.getfixturevalue("proxy")
        proxy.refuse()
    return caller


def test_with_a_full_disk_nothing_is_sent_charged_or_consumed(
    caller: Caller, disk: Disk, gupshup: misbehaving.Server
) -> None:
    sent = caller.send()
    otp = code_in(gupshup.requests[0])
    assert sent.id[0] == "s"
    disk.fill()
    asked = [caller.send(OTHER_PHONE), caller.resend(), caller.cancel(sent.id)]
    asked += [caller.verify(code) for code in [wrong(otp)] * 6 + [otp] * 2]
    for answer in asked:
        assert (answer.status, answer.code) == (503, "storage_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    assert len(gupshup.requests) == 1
    disk.free()
    assert caller.get(sent.id).data["attempts_remaining"] == 5
    assert caller.verify(otp).code == "ok"
    assert caller.verify(otp).code == "otp_not_found"


def test_a_disk_that_fills_up_while_a_message_is_on_its_way_does_not_void_its_code(
    make_app: MakeApp, disk: Disk
) -> None:
    def fill_and_accept(sock: socket.socket, over: threading.Event) -> None:
        disk.fill()
        ACCEPT(sock, over)

    url = f"sqlite:///{disk.folder / 'otp.db'}"
    with misbehaving.serve(fill_and_accept) as gupshup:
        caller = Caller(make_app(DATABASE_URL=url, **account(gupshup.url)))
        assert caller.send().code == "ok"
    otp = code_in(gupshup.requests[0])
    assert caller.verify(otp).status == 503
    disk.free()
    assert caller.verify(otp).code == "ok"


def test_a_fallback_on_a_full_disk_does_not_end_what_postgres_can_do(
    make_app: MakeApp, urls: dict[str, str], disk: Disk, proxy: Proxy
) -> None:
    fallback = {"FALLBACK_DATABASE_URL": f"sqlite:///{disk.folder / 'otp.db'}"}
    caller = Caller(make_app(**urls | fallback))
    proxy.refuse()
    used = caller.send(OTHER_PHONE)
    assert caller.verify(used.otp, OTHER_PHONE).code == "ok"
    proxy.heal()
    until(lambda: caller.ready().data["database"] == "ok")
    disk.fill()
    sent = caller.send()
    assert (sent.code, sent.id[0]) == ("ok", "p")
    assert caller.verify(sent.otp).code == "ok"
    # The fallback can't forget this one, and would call a new code in Postgres "not found".
    assert caller.send(OTHER_PHONE).code == "storage_unavailable"
    disk.free()
    assert caller.send(OTHER_PHONE).id[0] == "p"


def test_a_copy_of_the_api_keys_that_had_no_room_is_made_when_there_is_some(
    make_app: MakeApp,
    urls: dict[str, str],
    disk: Disk,
    proxy: Proxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api_keys, "SECONDS_TRUSTED", 0)
    fallback = {"FALLBACK_DATABASE_URL": f"sqlite:///{disk.folder / 'otp.db'}"}
    app, restarted = (make_app(**urls | fallback, API_KEYS="required") for _ in range(2))
    create = ["otp", "keys", "create", "shop"]
    headers = {"X-API-Key": app.test_cli_runner().invoke(args=create).stdout.split()[0]}
    path = "/verifications/none"
    disk.fill()
    assert app.test_client().get(path, headers=headers).status_code == 404
    disk.free()
    assert app.test_client().get(path, headers=headers).status_code == 404
    proxy.refuse()
    body = {"phone_number": PHONE}
    answer = restarted.test_client().post("/send-otp", json=body, headers=headers)
    assert answer.status_code == 200


@pytest.fixture
def file_caller(make_app: MakeApp, tmp_path: Path, gupshup: misbehaving.Server) -> Caller:
    """On an ordinary disk, in otp.db."""
    url = f"sqlite:///{tmp_path / 'otp.db'}"
    return Caller(make_app(DATABASE_URL=url, **account(gupshup.url)))


def set_pragma(caller: Caller, name: str, value: int) -> None:
    """On the application's connection; it has but one."""
    (engine,) = engines_of(caller.app)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA {name} = {value}")


def test_what_no_longer_fits_is_not_sent_and_what_was_sent_verifies(
    file_caller: Caller, gupshup: misbehaving.Server
) -> None:
    set_pragma(file_caller, "max_page_count", 1)  # SQLite makes that: no more than there are
    phones = [f"+9198765{number:05}" for number in range(100)]
    codes = [file_caller.send(phone).code for phone in phones]
    stored = codes.index("storage_unavailable")
    assert set(codes[:stored]) == {"ok"}
    assert len(gupshup.requests) == codes.count("ok")
    set_pragma(file_caller, "max_page_count", 10_000)
    sent = [phone for phone, code in zip(phones, codes, strict=True) if code == "ok"]
    for phone, raw in zip(sent, gupshup.requests, strict=True):
        assert file_caller.verify(code_in(raw), phone).code == "ok"


def test_a_lock_that_another_process_keeps_is_503_and_charges_nothing(
    file_caller: Caller, gupshup: misbehaving.Server, tmp_path: Path
) -> None:
    sent = file_caller.send()
    otp = code_in(gupshup.requests[0])
    set_pragma(file_caller, "busy_timeout", 200)
    holder = [sys.executable, "-c", HOLD_THE_LOCK, str(tmp_path / "otp.db")]
    with subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        asked = [file_caller.verify(wrong(otp)), file_caller.verify(otp), file_caller.resend()]
        for answer in asked:
            assert (answer.status, answer.code) == (503, "storage_unavailable")
        assert file_caller.get(sent.id).data["status"] == "pending"  # who reads waits for nobody
        other.kill()  # and with it goes its lock, and what it had not committed
    assert len(gupshup.requests) == 1
    assert file_caller.get(sent.id).data["attempts_remaining"] == 5
    assert file_caller.verify(otp).code == "ok"


def test_the_file_and_those_beside_it_are_private_and_safe(tmp_path: Path) -> None:
    before = os.umask(0)
    url = f"sqlite:///{tmp_path}/otp.db"
    engine = sa.create_engine(url, **engines.options(url, 2))
    try:
        engines.prepare(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE kept (what TEXT)")
            pragmas = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
            ]
        assert pragmas == ["wal", 2, 5000, 1]
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
        assert modes == {"otp.db": 0o600, "otp.db-wal": 0o600, "otp.db-shm": 0o600}
    finally:
        engine.dispose()
        os.umask(before)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared") / "otp.db"


@pytest.fixture(scope="module")
def pair(file: Path) -> Iterator[list[Server]]:
    """Two servers that were started at the same moment, before there was a file."""
    with Servers(DATABASE_URL=f"sqlite:///{file}", OTP_SECRET=SECRET) as servers:
        yield servers.start_several(2)


def count(file: Path, table: str, phone: str) -> int:
    with closing(sqlite3.connect(file)) as connection:
        query = f"SELECT count(*) FROM {table} WHERE phone = ?"
        return int(connection.execute(query, [phone]).fetchone()[0])


def test_two_servers_on_one_file_accept_a_right_code_once(pair: list[Server]) -> None:
    sent = pair[0].send(PHONE)
    ways: list[dict[str, object]] = [{}, {"verification_id": sent.id}]
    answers = at_once(200, lambda n: pair[n % 2].verify(sent.otp, PHONE, **ways[n // 2 % 2]))
    assert answers == {"ok": 1, "otp_not_found": 199}


def test_two_servers_on_one_file_judge_five_wrong_codes(pair: list[Server], file: Path) -> None:
    phone = "+919876543212"
    otp = wrong(pair[1].send(phone).otp)
    answers = at_once(200, lambda n: pair[n % 2].verify(otp, phone))
    assert answers == {"invalid_otp": 5, "too_many_attempts": 195}
    assert count(file, "attempts", phone) == 5


def test_two_servers_on_one_file_keep_one_live_code_and_the_limits(
    pair: list[Server], file: Path
) -> None:
    phone = "+919876543213"
    answers = at_once(100, lambda n: pair[n % 2].send(phone))
    assert answers == {"ok": 1, "otp_already_sent": 99}
    assert count(file, "verifications", phone) == count(file, "deliveries", phone) == 1
    answers = at_once(60, lambda n: pair[n % 2].resend(phone))
    assert answers["ok"] == 4  # of five messages in ten minutes
    assert count(file, "verifications", phone) == 1
    assert count(file, "deliveries", phone) == 5
