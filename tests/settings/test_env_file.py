"""The file `.env`, and the example of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from otp_service.environment import SettingsError
from otp_service.settings.env_file import process_environment
from tests.settings.environments import (
    load,
)


def test_an_env_file_in_another_encoding_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"OTP_PROOF_ISSUER=caf\xe9\n")
    with pytest.raises(SettingsError) as caught:
        process_environment(tmp_path)
    assert caught.value.problems == [".env is not UTF-8: save it in that encoding"]


def test_the_environment_overrides_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("OTP_LENGTH=7\nOTP_GRACE_CODES=2\n")
    monkeypatch.setenv("OTP_LENGTH", "8")
    environ = process_environment(tmp_path)
    assert (environ["OTP_LENGTH"], environ["OTP_GRACE_CODES"]) == ("8", "2")


def test_the_example_file_is_a_working_sandbox(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "env.example"
    (tmp_path / ".env").write_text(example.read_text())
    values = {k: v for k, v in process_environment(tmp_path).items() if k in example.read_text()}
    assert load(tmp_path, **values).sandbox
