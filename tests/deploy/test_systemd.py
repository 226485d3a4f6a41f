"""deploy/systemd: what systemd itself says of the units, and that they match the service."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from otp_service.server.serving import OPEN_FILES
from otp_service.server.waitress_server import DRAIN_SECONDS
from tests.system import need_program

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
COMMON = (UNITS / "otp-.service.d" / "common.conf").read_text()
EXPOSURE = 1.2
NAMES = ["otp-server@8001.service", "otp-worker.service"]


def analyze(*arguments: object) -> subprocess.CompletedProcess[str]:
    program = need_program("systemd-analyze", package="systemd")
    command = [program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A root with nothing but our units, where docs/deploying.md puts them."""
    shutil.copytree(UNITS, tmp_path / "etc" / "systemd" / "system")
    return tmp_path


def setting(name: str) -> str:
    found = re.findall(rf"^{name}=(.*)$", COMMON, re.MULTILINE)
    assert len(found) == 1, name
    return str(found[0])


@pytest.mark.parametrize("unit", NAMES)
def test_systemd_finds_nothing_wrong_in_a_unit(machine: Path, unit: str) -> None:
    need_program("curl", package="curl")  # of which the unit makes use
    file = machine / "etc" / "systemd" / "system" / unit.replace("8001", "")
    told = analyze("verify", file)
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.parametrize("unit", NAMES)
def test_a_units_exposure_is_what_the_documents_say(machine: Path, unit: str) -> None:
    told = analyze(f"--root={machine}", "security", "--offline=true", "--no-pager", unit)
    match = re.search(r"Overall exposure level for (\S+): ([\d.]+)", told.stdout)
    assert match, told.stderr
    assert (match[1], float(match[2]) <= EXPOSURE) == (unit, True), told.stdout
    assert f"exposure {EXPOSURE} of 10" in (ROOT / "docs" / "deploying.md").read_text()


def test_what_was_begun_has_the_time_to_end() -> None:
    assert int(setting("TimeoutStopSec")) >= DRAIN_SECONDS + 10
    assert setting("KillMode") == "mixed"  # the first process tells its children


def test_as_many_files_may_be_open_as_a_server_asks_for() -> None:
    assert int(setting("LimitNOFILE")) == OPEN_FILES


@pytest.mark.parametrize(("code", "starts"), [(0, True), (75, True), (2, True), (1, False)])
def test_an_outage_is_no_reason_not_to_start_and_a_failed_upgrade_is(
    tmp_path: Path, code: int, starts: bool
) -> None:
    unit = (UNITS / "otp-server@.service").read_text()
    (line,) = re.findall(r"^ExecStartPre=/bin/sh -c '(.*)'$", unit, re.MULTILINE)
    (tmp_path / "otp").write_text(f'#!/bin/sh\n[ "$1" = init-db ] && exit {code}\n')
    (tmp_path / "otp").chmod(0o755)
    ran = subprocess.run(["/bin/sh", "-c", line.replace("$$", "$")], cwd=tmp_path, check=False)
    assert (ran.returncode == 0) is starts


@pytest.mark.parametrize("alive", [True, False])
def test_a_server_is_waited_for_until_it_answers_or_has_ended(tmp_path: Path, alive: bool) -> None:
    unit = (UNITS / "otp-server@.service").read_text()
    (line,) = re.findall(r"^ExecStartPost=/bin/sh -c '(.*)'$", unit, re.MULTILINE)
    answers_the_second = "#!/bin/sh\n[ -e asked ] && exit 0\ntouch asked\nexit 7\n"
    (tmp_path / "curl").write_text(answers_the_second if alive else "#!/bin/sh\nexit 7\n")
    (tmp_path / "curl").chmod(0o755)
    server = subprocess.Popen(["sleep", "60"])
    if not alive:
        server.kill()
        server.wait()
    of_systemd = {"MAINPID": str(server.pid), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = ["/bin/sh", "-c", line.replace("$$", "$")]
    try:
        ran = subprocess.run(command, cwd=tmp_path, env=of_systemd, timeout=30, check=False)
    finally:
        server.kill()
        server.wait()
    assert (ran.returncode == 0) is alive


def test_settings_that_cant_work_end_it_for_good() -> None:
    assert setting("RestartPreventExitStatus") == "2"


WITHOUT_NEW_CODE = """
import ctypes, mmap, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):  # PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN
    sys.exit(77)
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)
    sys.exit("it may still make memory executable")
except OSError:
    pass
import pathlib, socket
from otp_service import create_app, syscalls
from otp_service.storage import schema
from otp_service.storage.models.base import engines_of
folder = pathlib.Path(sys.argv[1])
app = create_app({"DATABASE_URL": f"sqlite:///{folder}/otp.db"}, instance=folder)
for engine in engines_of(app):
    schema.upgrade(engine)
client, body = app.test_client(), {"phone_number": "+1234567890"}
assert client.post("/send-otp", json=body).status_code == 200
assert client.post("/verify-otp", json=body | {"otp": "123456"}).get_json()["success"]
one, two = socket.socketpair()
syscalls.Socket(one.detach()).send(b"told")
assert syscalls.Socket(two.detach()).recv(10) == b"told"
"""


def test_the_service_works_where_no_memory_becomes_executable(tmp_path: Path) -> None:
    """MemoryDenyWriteExecute, by the kernel's own means: ctypes and every library in use."""
    assert setting("MemoryDenyWriteExecute") == "yes"
    command = [sys.executable, "-c", WITHOUT_NEW_CODE, str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE: Linux 6.3 and later have")
    assert ran.returncode == 0, ran.stderr
