"""How the server runs: where it listens, with how many hands, and what it writes down."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.settings.environments import load, problems


def test_the_worker_may_be_off(tmp_path: Path) -> None:
    assert not load(tmp_path, OTP_WORKER="off").worker
    (problem,) = problems(tmp_path, OTP_WORKER="perhaps")
    assert problem == "OTP_WORKER must be on or off"


def test_where_it_listens_and_with_how_many_hands(tmp_path: Path) -> None:
    settings = load(tmp_path, HOST="127.0.0.2", PORT="0", WEB_CONCURRENCY="4", WAITRESS_THREADS="2")
    assert (settings.host, settings.port) == ("127.0.0.2", 0)
    assert (settings.processes, settings.threads) == (4, 2)


def test_waitress_serves_unless_granian_is_chosen_which_takes_a_proxy(tmp_path: Path) -> None:
    assert load(tmp_path).server == "waitress"
    chosen = load(tmp_path, OTP_SERVER="granian")
    assert chosen.server == "granian"
    assert any("put a proxy in front" in warning for warning in chosen.warnings)
    (problem,) = problems(tmp_path, OTP_SERVER="gunicorn")
    assert problem == "OTP_SERVER must be one of: waitress, granian"


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "65536"), ("WEB_CONCURRENCY", "0"), ("WAITRESS_THREADS", "257"), ("PORT", "http")],
)
def test_numbers_have_bounds(tmp_path: Path, name: str, value: str) -> None:
    (problem,) = problems(tmp_path, **{name: value})
    assert problem.startswith(f"{name} must be a whole number from ")


def test_a_log_has_one_of_its_levels_and_forms(tmp_path: Path) -> None:
    settings = load(tmp_path, LOG_LEVEL="WARNING", LOG_FORMAT="json")
    assert (settings.log_level, settings.log_format) == ("warning", "json")
    assert problems(tmp_path, LOG_LEVEL="all", LOG_FORMAT="xml") == [
        "LOG_LEVEL must be one of: debug, info, warning, error",
        "LOG_FORMAT must be one of: auto, json, console",
    ]
