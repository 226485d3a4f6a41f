"""Several upgrades at once: one works, the others wait and find nothing left to do."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from otp_service.storage import schema
from tests.conftest import SECRET
from tests.storage.revisions import HEAD
from tests.storage.upgrades import add_rows, engine_on, go_to, holding, revision, rows

pytestmark = pytest.mark.from_nothing
ROOT = Path(__file__).parent.parent.parent
COMMAND = [sys.executable, "-m", "flask", "--app", "wsgi", "otp", "init-db"]
INDEX = "CREATE INDEX CONCURRENTLY ix_test ON otp_service.verifications (purpose)"


def start(url: str) -> subprocess.Popen[str]:
    settings = {"DATABASE_URL": url, "OTP_SECRET": SECRET, "FALLBACK_DATABASE_URL": "off"}
    output = subprocess.PIPE
    return subprocess.Popen(
        COMMAND, cwd=ROOT, env=os.environ | settings, stdout=output, stderr=output, text=True
    )


@contextmanager
def the_turn_of_another(url: str) -> Iterator[None]:
    with engine_on(url) as engine, holding(engine, f"SELECT pg_advisory_xact_lock({schema.LOCK})"):
        yield


def test_four_processes_upgrade_the_release_before_at_once(database_url: str) -> None:
    with engine_on(database_url) as engine:
        go_to(engine, "0001")
        add_rows(engine)
        running = [start(database_url) for _ in range(4)]
        ended = [process.communicate(timeout=120) for process in running]
        assert [process.returncode for process in running] == [0] * 4, ended
        assert revision(engine) == HEAD
        assert len(rows(engine)["verifications"]) == 1


def test_an_upgrade_waits_for_its_turn_and_then_works(postgres_url: str) -> None:
    with engine_on(postgres_url) as engine:
        waiting = threading.Thread(target=schema.upgrade, args=[engine])
        with the_turn_of_another(postgres_url):
            waiting.start()
            waiting.join(0.5)
            assert waiting.is_alive()
        waiting.join(60)
        assert revision(engine) == HEAD


def test_who_waits_for_a_turn_holds_up_no_index_that_another_builds(postgres_url: str) -> None:
    with engine_on(postgres_url) as engine:
        go_to(engine, "0001")
        waiting = threading.Thread(target=schema.upgrade, args=[engine])
        with the_turn_of_another(postgres_url), engine.connect() as connection:
            waiting.start()
            time.sleep(0.3)
            for sql in ("SET lock_timeout = '1s'", INDEX, "RESET lock_timeout"):
                connection.execute(sa.text(sql))
        waiting.join(60)
        assert revision(engine) == HEAD


def test_an_upgrade_gives_up_when_its_turn_does_not_come(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "TURN_SECONDS", 0.3)
    with the_turn_of_another(postgres_url), engine_on(postgres_url) as engine:
        with pytest.raises(schema.AnotherUpgradeIsRunning, match=r"more than 0\.3 seconds"):
            schema.upgrade(engine)
        assert not sa.inspect(engine).has_schema("otp_service")
