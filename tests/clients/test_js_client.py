"""The client for JavaScript: its own tests against the real service, its types, its package."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from otp_service import create_app
from otp_service.web.dependencies import dependencies_of
from tests import databases
from tests.conftest import SECRET, new_key, serving
from tests.system import need_program, need_tool, node

CLIENT = Path(__file__).parents[2] / "clients" / "js"
PATIENCE = 120  # seconds
TESTS = sorted(path.name for path in (CLIENT / "test").glob("*.test.js"))
STRICT = ["--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--noEmit"]
EVENT_SECRET = "whsec_" + "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """In its sandbox, with keys and proofs; what the tests of the client have to know of it."""
    folder = tmp_path_factory.mktemp("service")
    settings = {
        "DATABASE_URL": databases.new_sqlite_file(folder / "otp.db"),
        "OTP_SECRET": SECRET,
        "API_KEYS": "required",
        "OTP_PROOF": "phone",
        "OTP_PROOF_AUDIENCE": "shop",
    }
    app = create_app(settings, instance=folder / "instance")
    key = new_key(app, "shop", "otp", "read")
    dependencies = dependencies_of(app)
    dependencies.start()
    with serving(app) as server:
        yield {"OTP_BASE_URL": server.url, "OTP_API_KEY": key, "OTP_EVENT_VECTOR": signed_event()}
    dependencies.stop()
    dependencies.worker.join()
    dependencies.telling.join()


def signed_event() -> str:
    """An event, signed by Standard Webhooks' own package."""
    now, body = datetime.now(timezone.utc), '{"type":"verification.verified","data":{}}'
    body = body.replace('"data"', f'"timestamp":"{now.isoformat()}","data"')
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(EVENT_SECRET).sign("evt_1", now, body),
    }
    return json.dumps({"secret": EVENT_SECRET, "headers": headers, "body": body})


def run(
    *command: str | Path, folder: Path = CLIENT, variables: Mapping[str, str] | None = None
) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), **(variables or {})},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("file", TESTS)
def test_its_own_tests_pass_beside_the_real_service(file: str, service: dict[str, str]) -> None:
    told = run(node(), "--test", "--test-reporter=tap", f"test/{file}", variables=service)
    passed = re.findall(r"^# pass (\d+)", told, re.M)
    assert int(passed[0]) >= 4
    assert "# skipped 0" in told


def test_its_types_are_what_strict_programs_need(tmp_path: Path) -> None:
    types = need_tool("@types/node/package.json").parent.parent
    module = ["--module", "nodenext", "--target", "es2022", "--lib", "es2023,dom"]
    tsc = need_tool("typescript/bin/tsc")
    libraries = ["--types", "node", "--typeRoots", str(types)]
    run(node(), tsc, *STRICT, *module, *libraries, CLIENT / "test" / "usage.ts")


def test_its_types_name_what_it_exports() -> None:
    script = "import * as all from 'otp-client'; console.log(JSON.stringify(Object.keys(all)))"
    exported = json.loads(run(node(), "--input-type=module", "-e", script))
    declared = (CLIENT / "src" / "index.d.ts").read_text()
    assert set(exported) == set(re.findall(r"export declare (?:class|const) (\w+)", declared))


def test_it_needs_nothing_but_what_every_runtime_of_the_web_has() -> None:
    """Deno, Bun, Workers: no import but of its own files, and no global of Node.js alone."""
    for path in (CLIENT / "src").glob("*.js"):
        source = path.read_text()
        assert not re.search(r'from "(?!\./)|\bimport\(|\brequire\(', source), path.name
        assert not re.search(r"\b(process|Buffer|global|setImmediate)\b[.(]", source), path.name
    package = json.loads((CLIENT / "package.json").read_text())
    assert not {"dependencies", "peerDependencies"} & set(package)


def test_it_is_installed_from_the_folder_without_a_network(tmp_path: Path) -> None:
    npm = need_program("npm", package="npm")
    quiet = ("--offline", "--no-audit", "--no-fund", "--ignore-scripts")
    packed = run(npm, "pack", "--silent", "--pack-destination", tmp_path, CLIENT, folder=tmp_path)
    (tmp_path / "package.json").write_text('{"private": true, "type": "module"}')
    run(npm, "install", *quiet, f"./{packed.strip()}", folder=tmp_path)
    installed = tmp_path / "node_modules" / "otp-client"
    assert {path.name for path in installed.iterdir()} == {
        "LICENSE",
        "README.md",
        "package.json",
        "src",
    }
    script = "import { VERSION, OtpClient } from 'otp-client'; console.log(VERSION)"
    version = run(node(), "--input-type=module", "-e", script, folder=tmp_path).strip()
    assert version == json.loads((CLIENT / "package.json").read_text())["version"]
