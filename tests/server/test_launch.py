"""How `python wsgi.py` starts: with nothing prepared, and plainly where it can not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import requests

from tests.conftest import SECRET
from tests.faults.processes import PATIENCE
from tests.server.processes import PHONE, ROOT, Start


def test_it_starts_with_nothing_prepared_and_says_where_messages_go(start: Start) -> None:
    process, url = start()
    assert requests.post(f"{url}/send-otp", json=PHONE).json()["success"]
    process.terminate()
    log = process.communicate(timeout=PATIENCE)[1]
    assert f"Listening on {url}, documentation at {url}/docs, messages at {url}/sandbox" in log
    assert process.returncode == 0


def test_no_log_line_of_a_tour_has_a_code_or_a_whole_number(start: Start) -> None:
    process, url = start()
    code = requests.post(f"{url}/send-otp", json=PHONE).json()["data"]["otp"]
    requests.post(f"{url}/verify-otp", json=PHONE | {"otp": code})
    requests.get(f"{url}/verifications/+919876543210")
    process.terminate()
    log = process.communicate(timeout=PATIENCE)[1]
    lines = [json.loads(line) for line in log.splitlines()]
    asked = [(line["route"], line["status"]) for line in lines if line["event"] == "request"]
    assert ("/send-otp", 200) in asked
    assert code not in str([line | {"timestamp": ""} for line in lines])
    assert "9876543210" not in log


def test_a_taken_port_is_said_plainly(tmp_path: Path) -> None:
    own = {"DATABASE_URL": f"sqlite:///{tmp_path / 'otp.db'}", "OTP_SECRET": SECRET}
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "wsgi.py"],
            cwd=ROOT,
            env=os.environ | own | {"PORT": port},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 1
    assert f"can't listen on 127.0.0.1 port {port}" in done.stderr
    assert "HOST and PORT say where to listen" in done.stderr
