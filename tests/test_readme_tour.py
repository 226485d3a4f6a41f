"""The README's tour, as it stands: each block is run, and answers what the README shows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import LiveServer
from tests.system import need_program

README = (Path(__file__).parent.parent / "README.md").read_text()
TOUR = README.partition("\n## The tour\n")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TOUR, re.S)
VARIES = {"verification_id", "expires_at", "verified_at"}  # from one run to the next


def run(program: str, option: str, text: str, server: LiveServer) -> str:
    command = [program, option, text.replace("http://localhost:8000", server.url)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def constant(answer: dict[str, Any]) -> dict[str, Any]:
    """With every name, and what has the same value each time."""
    data = {name: None if name in VARIES else value for name, value in answer["data"].items()}
    return answer | {"data": data}


def test_the_curl_calls_answer_what_is_shown_and_end_in_success(live_server: LiveServer) -> None:
    need_program("curl", package="curl")
    answers: list[dict[str, Any]] = []
    for language, text in BLOCKS:
        if language == "bash":
            output = run(need_program("bash", package="bash"), "-ec", text, live_server)
            answers += [json.loads(line) for line in output.splitlines() if line]
        elif language == "json":
            assert constant(json.loads(text)) == constant(answers[-1])
    messages = [answer["message"] for answer in answers]
    assert messages == [
        "OTP sent successfully",
        "OTP resent successfully",
        "OTP verified successfully",
    ]


def test_the_python_script_ends_in_success(live_server: LiveServer) -> None:
    (script,) = (text for language, text in BLOCKS if language == "python")
    sent, verified = run(sys.executable, "-c", script, live_server).splitlines()
    assert "OTP sent successfully" in sent
    assert "OTP verified successfully" in verified
