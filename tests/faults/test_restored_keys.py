"""Keys that were revoked after a backup hold in what is restored, until the page's lines run."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SECRET, MakeApp
from tests.faults import backups
from tests.faults.cluster import Cluster
from tests.faults.service import Caller

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "backup.md").read_text()
EXACT, ALL = [
    block for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL) if "keys revoke" in block
]
KEPT = ("sqlite:////srv/otp/instance/fallback.db", "sqlite:///{}")
pytestmark = pytest.mark.usefixtures("patient")


@pytest.fixture
def elsewhere() -> Iterator[Cluster]:
    """Another Postgres, with nothing in it."""
    cluster = Cluster.create(Path(tempfile.mkdtemp(prefix="otp-test-restore-")))
    cluster.start()
    yield cluster
    cluster.remove()


class Desk(Caller):
    """Who makes and revokes keys; each look is a new server's."""

    def keys(self, *arguments: str) -> str:
        done = self.app.test_cli_runner().invoke(args=["otp", "keys", *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    def takes(self, key: str) -> bool:
        answer = self.http.get("/verifications/none", headers={"X-API-Key": key})
        return answer.status_code != 401


def the_pages_lines(block: str, folder: Path, database_url: str) -> str:
    """What they say; run in a folder from which `./otp` is reached as in a checkout."""
    (folder / "otp").symlink_to(ROOT / "otp")
    own = {"DATABASE_URL": database_url, "FALLBACK_DATABASE_URL": "off", "OTP_SECRET": SECRET}
    done = subprocess.run(
        ["bash", "-c", block],
        cwd=folder,
        env=os.environ | own,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return done.stdout + done.stderr


def test_the_fallbacks_copy_tells_which_to_revoke_again(
    cluster: Cluster, elsewhere: Cluster, make_app: MakeApp, tmp_path: Path
) -> None:
    kept = tmp_path / "fallback.db"
    settings = {
        "FALLBACK_DATABASE_URL": f"sqlite:///{kept}",
        "API_KEYS": "required",
        "OTP_PROOF": "hashed",
    }
    desk = Desk(make_app(DATABASE_URL=cluster.url, **settings))
    first, second = desk.keys("create", "shop"), desk.keys("create", "shop")
    other = desk.keys("create", "desk")
    signed = desk.keys("signing", "rotate").split()[0]
    backups.dump(cluster, tmp_path / "otp.dump", backups.WITHOUT_CODES)
    ids = [line.split()[1] for line in desk.keys("list").splitlines() if line.startswith("shop")]
    desk.keys("revoke", "shop", "--key", ids[0])
    desk.keys("signing", "revoke", signed)
    backups.restore(elsewhere, tmp_path / "otp.dump")
    where = {"DATABASE_URL": elsewhere.url} | settings

    restored = Desk(make_app(**where))  # too early: it copies what the database says
    assert restored.takes(first)
    assert restored.takes(second)
    assert signed not in [line.split()[0] for line in revoked(restored)]

    told = the_pages_lines(EXACT.replace(KEPT[0], KEPT[1].format(kept)), tmp_path, elsewhere.url)
    assert told.count("is revoked.") == 2, told
    restored = Desk(make_app(**where))
    assert [restored.takes(key) for key in (first, second, other)] == [False, True, True]
    assert [line.split()[0] for line in revoked(restored)] == [signed]


def revoked(desk: Desk) -> list[str]:
    return [line for line in desk.keys("signing", "list").splitlines() if " revoked " in line]


def test_who_has_no_list_replaces_all_keys(make_app: MakeApp, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'restored.db'}"
    desk = Desk(make_app(DATABASE_URL=url, API_KEYS="required", OTP_PROOF="hashed"))
    old = [desk.keys("create", name) for name in ("shop", "shop", "desk")]
    signed = desk.keys("signing", "rotate").split()[0]
    the_pages_lines(ALL, tmp_path, url)
    desk = Desk(make_app(DATABASE_URL=url, API_KEYS="required", OTP_PROOF="hashed"))
    new = dict(line.split() for line in (tmp_path / "new-keys").read_text().splitlines())
    assert sorted(new) == ["desk", "shop"]
    assert [desk.takes(key) for key in (*old, *new.values())] == [False] * 3 + [True] * 2
    assert [line.split()[0] for line in revoked(desk)] == [signed]
