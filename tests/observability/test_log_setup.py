"""Which lines are logged: ours from a level on, however they were said."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from pathlib import Path

import pytest
import structlog

from otp_service.observability import log_setup
from otp_service.observability.log_format import Handler
from otp_service.settings import Settings
from tests.observability.logs import OURS, Log


def test_structlog_and_the_standard_library_come_out_the_same(log: Log) -> None:
    OURS.warning("sent", extra={"provider": "gupshup"})
    structlog.get_logger("otp_service.test").warning("sent", provider="gupshup")
    one, other = (line | {"timestamp": ""} for line in log.lines)
    assert list(one.items()) == list(other.items())


@pytest.mark.parametrize(("level", "told"), [("debug", 4), ("info", 3), ("error", 1)])
def test_log_level_is_for_our_own_lines(log: Log, level: str, told: int) -> None:
    log.configure(level, "json")
    for each in ("debug", "info", "warning", "error"):
        getattr(OURS, each)(each)
    assert len(log.lines) == told


@pytest.mark.statement(13)
def test_every_secret_of_the_settings_is_known(log: Log, tmp_path: Path) -> None:
    secrets = {
        "OTP_SECRET": f"{bytes(range(32)).hex()},{bytes(range(32, 64)).hex()}",
        "GUPSHUP_API_KEY": "a-gupshup-key-1",
        "GUPSHUP_WEBHOOK_SECRET": "a-webhook-secret-2",
        "GUPSHUP_SMS_PASSWORD": "an sms/password-3",
        "META_ACCESS_TOKEN": "a-meta-key-4",
        "META_APP_SECRET": "a-meta-secret-5",
        "META_VERIFY_TOKEN": "a-meta-word-6",
    }
    rest = {
        "DATABASE_URL": "postgresql://otp:a-database%2Fpassword-7@127.0.0.1/otp",
        "GUPSHUP_SOURCE": "917834811114",
        "GUPSHUP_TEMPLATE_ID": "t",
        "GUPSHUP_SRC_NAME": "DemoApp",
        "GUPSHUP_SMS_USERID": "2000000001",
        "META_PHONE_NUMBER_ID": "158072934066266",
        "META_TEMPLATE": "t",
        "LOG_LEVEL": "debug",
        "LOG_FORMAT": "json",
    }
    known = Settings.from_env(secrets | rest, tmp_path)
    stream = io.StringIO()
    log_setup.configure(known.log_level, known.log_format, known.redacted)
    (handler,) = [each for each in logging.getLogger().handlers if isinstance(each, Handler)]
    handler.setStream(stream)
    spellings = ["an%20sms%2Fpassword-3", "a-database/password-7", "a-database%2Fpassword-7"]
    for secret in [*secrets.values(), *spellings, rest["DATABASE_URL"]]:
        OURS.debug("it is %s.", secret)
    lines = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert set(lines[1:-1]) == {"it is ••••."}
    assert lines[0] == "it is ••••,••••."
    assert "password-7" not in lines[-1]


@pytest.mark.parametrize("kind", ["file", "pipe"])
@pytest.mark.parametrize("style", ["json", "console"])
def test_a_file_and_a_pipe_have_each_line_at_once(
    kind: str, style: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path := tmp_path / "log").touch()
    seen, into = os.pipe() if kind == "pipe" else (os.open(path, os.O_RDONLY), str(path))
    with open(seen, "rb") as lines, open(into, "w") as stream:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", stream)
            log_setup.configure("info", style, [])
        OURS.info("größer")
        assert "größer".encode() in lines.readline()
        OURS.info("a" * 20_000)
        assert b"a" * 20_000 in lines.readline()
