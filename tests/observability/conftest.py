"""What the service logs, read by a test."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator

import pytest
import structlog

from otp_service.observability.log_format import REQUEST_ID, Handler
from tests.observability.logs import Log


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """JSON from debug on; afterwards logging is as it was."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    root, ours = logging.getLogger(), logging.getLogger("otp_service")
    levels = (root.level, ours.level)
    made = Log(monkeypatch)
    made.configure("debug", "json")
    yield made
    root.handlers = [each for each in root.handlers if not isinstance(each, Handler)]
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    structlog.reset_defaults()
    REQUEST_ID.set(None)
