"""``python -m otp_service.simulator``"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import pytest
import requests

from otp_service.simulator.__main__ import parser
from otp_service.simulator.options import QUIRKS, Options

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "simulator.md").read_text()
COMMAND = [sys.executable, "-m", "otp_service.simulator"]


@contextmanager
def started(*options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *options],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def settings_of(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(5)]
    return dict(re.findall(r"(\w+_URL)=(\S+)", "".join(lines)))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_ends_cleanly(number: signal.Signals) -> None:
    with started("--seed", "5", "--delay", "0", "--api-key", "right") as process:
        settings = settings_of(process)
        assert settings["GUPSHUP_API_URL"].endswith("/wa/api/v1/template/msg")
        assert settings["GUPSHUP_SMS_API_URL"].endswith("/GatewayAPI/rest")
        assert settings["META_API_URL"].endswith("/v23.0")
        form = {"userid": "1", "password": "2", "method": "SendMessage", "msg": "4321 it is"}
        form["send_to"] = "919876543210"
        answer = requests.post(settings["GUPSHUP_SMS_API_URL"], data=form, timeout=10)
        assert answer.text.startswith("success")
        process.send_signal(number)
        output, wrong = process.communicate(timeout=20)
    assert (process.returncode, wrong) == (0, "")
    assert "+919876543210  enterprise sms, code 4321" in output


def test_a_taken_port_is_said_plainly() -> None:
    with started() as process:
        port = settings_of(process)["META_API_URL"].split(":")[2].partition("/")[0]
        second = subprocess.run(
            [*COMMAND, "--port", port], cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert second.returncode == 1
    assert second.stderr.startswith("Can't listen on 127.0.0.1")
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        ["--quirk", "odd"],
        ["--delay", "-1"],
        ["--callback-version", "4"],
        ["--port", "70000"],
        ["--bogus"],
        ["--callback-url", "nonsense"],
        ["--sms-callback-url", "127.0.0.1:8000/webhooks/gupshup-sms"],
        ["--meta-callback-url", "http://"],
        ["--api-key", "caf\udce9"],
        ["--callback-url=caf\udce9"],
    ],
)
def test_options_that_can_not_work_are_said_plainly_in_two_lines(wrong: list[str]) -> None:
    done = subprocess.run([*COMMAND, *wrong], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    error, advice = done.stderr.splitlines()
    assert error.startswith("python -m otp_service.simulator: ")
    assert advice == "Try --help, which lists the options."


def test_every_option_and_quirk_is_in_the_help_and_documented() -> None:
    shown = parser().format_help()
    for option in fields(Options):
        name = option.name.replace("_", "-")
        documented = re.search(rf"`--(no-)?{name.removesuffix('s')}s?[ `]", DOCUMENT)
        assert documented, name
    for quirk in QUIRKS:
        assert quirk in shown
        assert f"`{quirk}`" in DOCUMENT


def test_what_is_not_given_has_its_default() -> None:
    assert vars(parser().parse_args([])) == {}
    given = vars(parser().parse_args(["--quirk", "no-phone", "--quirk", "string-ts", "--read"]))
    assert given == {"quirks": {"no-phone", "string-ts"}, "read": True}
