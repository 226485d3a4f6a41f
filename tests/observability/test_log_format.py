"""What a log line looks like."""

from __future__ import annotations

import io
import logging
import re

import pytest

from tests.observability.logs import OURS, Log


def test_a_line_is_one_json_object_with_its_fields_in_their_order(log: Log) -> None:
    OURS.info("sent to %s", "somebody", extra={"provider": "gupshup", "ms": 1.5})
    (line,) = log.lines
    assert list(line) == ["timestamp", "level", "logger", "event", "provider", "ms"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("timestamp"))
    assert line == {
        "level": "info",
        "logger": "otp_service.test",
        "event": "sent to somebody",
        "provider": "gupshup",
        "ms": 1.5,
    }


def test_another_handler_adds_no_fields(log: Log) -> None:
    other = logging.StreamHandler(io.StringIO())
    other.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logging.getLogger().handlers.insert(0, other)
    OURS.warning("sent")
    logging.getLogger().removeHandler(other)
    assert list(log.lines[0]) == ["timestamp", "level", "logger", "event"]


@pytest.mark.parametrize(
    ("style", "terminal", "json_expected"),
    [
        ("auto", False, True),
        ("auto", True, False),
        ("json", True, True),
        ("console", False, False),
    ],
)
def test_the_format_fits_where_the_log_goes(
    log: Log, style: str, terminal: bool, json_expected: bool
) -> None:
    log.configure("info", style, terminal=terminal)
    OURS.info("sent", extra={"provider": "gupshup"})
    assert log.text.startswith("{") is json_expected
    assert ("\x1b[" in log.text) is (terminal and not json_expected)  # colours
    if not terminal and not json_expected:
        assert re.search(r"^\S+Z \[info +\] sent +\[otp_service.test\] provider=gupshup$", log.text)
