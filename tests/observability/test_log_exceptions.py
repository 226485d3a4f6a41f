"""Of an exception a line tells the types and the places, and never the text."""

from __future__ import annotations

import logging
import sys
import threading

import pytest
import structlog

from otp_service.observability.log_format import Handler
from tests.observability.logs import LIBRARY, OURS, PHONE, Log


def _fail() -> None:
    try:
        raise KeyError(f"{PHONE} 123456")
    except KeyError:
        raise ValueError("the code is 123456") from None


def _fail_after_another() -> None:
    try:
        _fail()
    except ValueError as error:
        raise RuntimeError("123456") from error


@pytest.mark.statement(13)
@pytest.mark.parametrize("style", ["json", "console"])
def test_of_an_exception_the_types_and_places_are_told_and_not_the_text(
    log: Log, style: str
) -> None:
    log.configure("debug", style)
    for logger in (OURS, LIBRARY, structlog.get_logger("otp_service.test")):
        try:
            _fail_after_another()
        except RuntimeError as error:
            logger.exception("it failed", stack_info=True)
            OURS.error("it failed", extra={"cause": error})
    assert "123456" not in log.text
    assert "code" not in log.text
    assert len(log.text.splitlines()) == 6
    assert log.text.count("RuntimeError from ValueError") == 3
    assert log.text.count("observability/test_log_exceptions.py:") == 6
    assert log.text.count("_fail_after_another") == 3


@pytest.mark.statement(13)
def test_what_nobody_catches_is_told_the_same_way(log: Log) -> None:
    thread = threading.Thread(target=_fail, name="worker")
    thread.start()
    thread.join()
    try:
        _fail()
    except ValueError:
        sys.excepthook(*sys.exc_info())
    in_thread, in_main = log.lines
    assert in_thread["in_thread"] == "worker"
    for line in (in_thread, in_main):
        assert (line["level"], line["error"]) == ("critical", "ValueError")
        assert line["places"][-1].startswith("observability/test_log_exceptions.py:")
    assert "123456" not in log.text


@pytest.mark.statement(13)
def test_a_line_that_cant_be_made_tells_no_arguments(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    alone = [each for each in root.handlers if isinstance(each, Handler)]
    monkeypatch.setattr(root, "handlers", alone)  # pytest's own would raise it
    OURS.info("%d", "123456")
    OURS.info("next")
    broken, following = log.lines
    assert broken["event"] == "a log line could not be written"
    assert following["event"] == "next"
    assert "123456" not in log.text
