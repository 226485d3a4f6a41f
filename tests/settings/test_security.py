"""Secrets: made at random, kept private, several while one is replaced."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.settings.environments import (
    GUPSHUP,
    SECRET,
    load,
    problems,
)


@pytest.mark.statement(21)
@pytest.mark.parametrize(
    "secret",
    [
        "0" * 64,
        "ca" * 32,
        "cafe" * 40,
        f"{'01020304050607' * 5}",
        f"{SECRET},{'0' * 64}",
        f"{'0' * 64},{SECRET}",
    ],
)
def test_a_secret_of_few_different_bytes_starts_in_the_sandbox_only(
    tmp_path: Path, secret: str
) -> None:
    (problem,) = problems(tmp_path, **GUPSHUP, OTP_SECRET=secret)
    assert problem.startswith("OTP_SECRET has fewer than 8 different bytes")
    assert "secrets.token_hex(32)" in problem
    assert load(tmp_path, OTP_SECRET=secret).warnings == (problem,)
    assert secret not in problem


def test_eight_different_bytes_are_enough_and_a_weak_secret_hides_no_short_one(
    tmp_path: Path,
) -> None:
    assert load(tmp_path, **GUPSHUP, OTP_SECRET="0102030405060708" * 4).secrets
    found = problems(tmp_path, **GUPSHUP, OTP_SECRET=f"{'0' * 64},cafe")
    assert [problem.split(" ", 2)[:2] for problem in found] == [
        ["OTP_SECRET", "must"],
        ["OTP_SECRET", "has"],
    ]


@pytest.mark.statement(21)
def test_a_missing_secret_says_how_to_make_one(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, **GUPSHUP)
    assert problem.startswith("OTP_SECRET is required")
    assert "secrets.token_hex(32)" in problem


def test_several_secrets_are_kept_newest_first(tmp_path: Path) -> None:
    settings = load(tmp_path, OTP_SECRET=f"{'ab' * 32}, {'cd' * 40}")
    assert [secret.key for secret in settings.secrets] == [b"\xab" * 32, b"\xcd" * 40]


def test_the_sandbox_makes_its_secret_once_and_keeps_it_private(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: load(tmp_path).secrets, range(8)))
    assert len(set(found)) == 1
    kept = list((tmp_path / "instance").iterdir())
    assert [path.name for path in kept] == ["otp_secret"]
    assert kept[0].stat().st_mode & 0o777 == 0o600
