"""How limits are written. What they limit, and which make no sense: `tests/security`."""

from __future__ import annotations

from pathlib import Path

import pytest

from otp_service.domain.limits import COUNTED, Limit, Limits
from otp_service.settings import variables
from tests.settings.environments import load

NAMES = [name for name in variables({}) if name.endswith(("_LIMITS", "_REQUESTS", "_NUMBERS"))]
WINDOWS = sorted(set(NAMES) - {"OTP_TEST_NUMBERS"})


def test_where_nothing_is_set_they_are_the_domains_own(tmp_path: Path) -> None:
    assert load(tmp_path).limits == Limits()


def test_every_limit_that_can_be_set_has_words_for_people(tmp_path: Path) -> None:
    limits = load(tmp_path, OTP_RESEND_COOLDOWN_SECONDS="30", **dict.fromkeys(WINDOWS, "5/10m"))
    windows = [each for each in vars(limits.limits).values() if isinstance(each, tuple)]
    assert {limit.name for each in windows for limit in each} <= COUNTED.keys()


@pytest.mark.parametrize("name", WINDOWS)
def test_a_default_may_be_set_as_it_is_written(tmp_path: Path, name: str) -> None:
    default = variables({})[name].default
    keys = {"API_KEYS": "required"}
    assert load(tmp_path, **keys, **{name: default}).limits == load(tmp_path, **keys).limits


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("7/90s", (7, 90)),
        ("1/10M", (1, 600)),
        (" 2/3h ", (2, 10_800)),
        ("9999999/30d", (9_999_999, 2_592_000)),
    ],
)
def test_a_window_is_a_count_and_a_time(tmp_path: Path, text: str, window: tuple[int, int]) -> None:
    limits = load(tmp_path, OTP_PURPOSE_SEND_LIMITS=text).limits
    assert limits.purpose_sends == (Limit("purpose_sends", *window),)


def test_requests_are_counted_for_keys_only(tmp_path: Path) -> None:
    assert load(tmp_path, OTP_CLIENT_REQUESTS="9/1s").limits.client_requests is None
    with_keys = load(tmp_path, OTP_CLIENT_REQUESTS="9/1s", API_KEYS="required").limits
    assert with_keys.client_requests == Limit("client_requests", 9, 1)
