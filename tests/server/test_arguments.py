"""`python wsgi.py` takes no arguments, and says what it takes instead."""

from __future__ import annotations

import re

import pytest

from tests.server.processes import ROOT, wsgi


@pytest.mark.parametrize("asked", ["--help", "-h"])
def test_help_helps_whatever_the_settings_are_and_starts_nothing(asked: str) -> None:
    done = wsgi(asked, OTP_LENGTH="nonsense", PORT="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "PORT=9000 .venv/bin/python wsgi.py" in done.stdout
    assert "otp --help" in done.stdout
    documented = re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / "env.example").read_text(), re.MULTILINE)
    told = re.findall(
        r"^  ([A-Z_]+)", done.stdout.partition("env.example explains each:\n")[2], re.MULTILINE
    )
    assert sorted(told) == sorted(documented)


@pytest.mark.parametrize("wrong", ["serve", "--port=9000", "-p"])
def test_arguments_that_there_are_not_start_nothing(wrong: str) -> None:
    done = wsgi(wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: python wsgi.py" in done.stderr
    assert wrong.split("=", maxsplit=1)[0] in done.stderr
