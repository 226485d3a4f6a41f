"""The package as it is installed from its folder, and what its README shows."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

from otp_client import __version__
from tests.clients.python.service import Service
from tests.clients.python.test_events import BODY, OTHER, SECRET, signed
from tests.storage.helpers import wrong

FOLDER = Path(__file__).parents[3] / "clients" / "python"
README = (FOLDER / "README.md").read_text()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built and installed without a package index: the build backend is pinned for tests."""
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(target)]
    subprocess.run([*command, str(FOLDER)], check=True, capture_output=True, timeout=120)
    return target


def said(program: str, folder: Path) -> str:
    """What the program prints where the packages of this folder come first."""
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_it_is_installed_from_its_folder_and_tells_its_own_version(installed: Path) -> None:
    (found,) = distributions(path=[str(installed)])
    assert found.version == __version__
    assert found.metadata["Name"] == "otp-client"
    needed = [name for name in found.requires or () if "extra" not in name]
    assert [re.split("[^a-z]", name)[0] for name in needed] == ["requests"]
    program = "import otp_client, otp_client.proofs as p; print(p.__file__, otp_client.__version__)"
    assert said(program, installed) == f"{installed / 'otp_client' / 'proofs.py'} {__version__}"


def test_its_types_and_its_licence_come_along(installed: Path) -> None:
    assert (installed / "otp_client" / "py.typed").exists()
    assert list(installed.rglob("LICENSE"))


def test_it_needs_no_flask_no_jwt_and_nothing_of_the_service() -> None:
    """But for proofs."""
    program = "import sys, otp_client; print(*{'flask', 'jwt', 'otp_service'} & sys.modules.keys())"
    assert said(program, FOLDER / "src") == ""


@pytest.fixture
def shown(service: Service, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the README's programs define, each of which was run alone, as it stands there."""
    monkeypatch.setenv("OTP_URL", service.url)
    monkeypatch.setenv("OTP_API_KEY", service.keys["shop"])
    monkeypatch.setenv("OTP_EVENTS_SECRET", SECRET)
    names: dict[str, Any] = {}
    for program in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL):
        alone: dict[str, Any] = {"__name__": "readme"}
        exec(program, alone)
        names |= alone
    return names


def test_the_sign_in_that_the_readme_shows(
    shown: dict[str, Any], service: Service, phone: str
) -> None:
    begin, check = shown["begin"], shown["check"]
    begun = begin(phone, "203.0.113.7")
    assert begin(phone, "203.0.113.7") == begun
    code = service.code(phone)
    assert check(phone, wrong(code), begun) == "That is not the code. 4 tries left."
    assert check(phone, code, begun) == ""
    assert check(phone, code, begun) == "That code has expired. Ask for another one."


def test_the_receiver_of_events_that_the_readme_shows(
    shown: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    receiver, now = shown["app"].test_client(), datetime.now(timezone.utc)
    taken = receiver.post("/otp-events", data=BODY, headers=signed(at=now))
    forged = receiver.post("/otp-events", data=BODY, headers=signed(at=now, secret=OTHER))
    assert (taken.status_code, forged.status_code) == (204, 400)
    assert capsys.readouterr().out.startswith("msg_1 verification.verified s0")


def test_the_verifier_of_proofs_that_the_readme_shows(
    shown: dict[str, Any], service: Service, phone: str
) -> None:
    shown["begin"](phone, "203.0.113.7")
    proof = shown["client"].verify(phone, service.code(phone)).proof
    assert shown["proven_phone"](proof) == phone
    assert shown["proven_phone"](proof[:-8]) is None
