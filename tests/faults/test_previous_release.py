"""The release before on this one's schema: it goes on beside it, and may be rolled back to.

Its code is this repository's own: the newest commit whose migrations end one earlier. Where there
is no history, as in an archive of the sources, `tests/storage/test_each_upgrade.py` still says
that each migration only adds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from otp_service.storage import api_keys, schema
from tests.conftest import SECRET
from tests.faults.processes import PATIENCE, ROOT, Server
from tests.faults.service import PHONE
from tests.faults.waiting import until
from tests.storage.helpers import wrong
from tests.storage.upgrades import engine_on
from tests.system import need_program

OTHER = "+919876543211"


def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    program = need_program("git", package="git")
    ours = ["-c", f"safe.directory={ROOT}"]  # whoever checked it out
    return subprocess.run([program, *ours, *arguments], cwd=ROOT, capture_output=True, check=False)


@pytest.fixture(scope="session")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the code of the release before."""
    newest = f"migrations/versions/{schema.revisions()[-1]}_*"
    added = git("log", "--diff-filter=A", "--format=%H", "--", newest).stdout.decode().split()
    archive = git("archive", f"{added[-1]}^").stdout if added else b""
    if not archive:
        pytest.skip("the release before is not here: no history, or a shallow one")
    folder = tmp_path_factory.mktemp("release-before")
    subprocess.run(["tar", "-x"], cwd=folder, input=archive, check=True)
    return folder


class ServerBefore(Server):
    """The release before's, once its ``checkout`` is known."""


@pytest.fixture
def settings(database_url: str) -> dict[str, str]:
    own = {"OTP_SECRET": SECRET, "API_KEYS": "required", "FALLBACK_DATABASE_URL": "off"}
    return own | {"DATABASE_URL": database_url}


@pytest.fixture
def servers(before: Path, settings: dict[str, str]) -> Iterator[tuple[Server, Server]]:
    """The release before's, and this one's, with a key that was made before they started."""
    with engine_on(settings["DATABASE_URL"]) as engine:
        key = str(api_keys.create(engine, "shop"))
    ServerBefore.checkout = before
    both = ServerBefore(**settings), Server(**settings)
    try:
        for server in both:
            server.headers = {"X-API-Key": key}
            until(server.is_up, PATIENCE)
        yield both
    finally:
        for server in both:
            server.kill()


def otp_before(before: Path, settings: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "otp", *command],
        cwd=before,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_release_before_goes_on_beside_this_one_and_may_be_rolled_back_to(
    before: Path, settings: dict[str, str], servers: tuple[Server, Server]
) -> None:
    assert not list(before.glob(f"migrations/versions/{schema.revisions()[-1]}_*"))
    assert "newer than this release: left" in otp_before(before, settings, "init-db")
    old, new = servers
    for one, other in ((old, new), (new, old)):
        each_goes_on_with_what_the_other_began(one, other)
    assert "verification.checked" in otp_before(before, settings, "audit", "--phone", PHONE)
    assert new.send(PHONE).code == "ok"


def each_goes_on_with_what_the_other_began(one: Server, other: Server) -> None:
    sent = one.send()
    assert sent.code == "ok"
    assert other.verify(wrong(sent.otp)).code == "invalid_otp"
    assert other.get(sent.id).data["attempts_remaining"] == 4
    again = other.resend()
    assert (again.code, again.id) == ("ok", sent.id)
    assert one.verify(again.otp, verification_id=sent.id).code == "ok"
    assert other.verify(again.otp).code == "otp_not_found"
    canceled = one.send(OTHER)
    assert other.cancel(canceled.id).data["status"] == "canceled"
    assert one.verify(canceled.otp, OTHER).code == "otp_not_found"
