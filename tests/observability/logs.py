"""What is logged, read back."""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import Any

import pytest

from otp_service.observability import log_setup

OURS = logging.getLogger("otp_service.test")
LIBRARY = logging.getLogger("urllib3.test")
PHONE, MASKED = "+919876531026", "+91••••1026"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Log:
    """What was written since `configure`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._stream = io.StringIO()

    def configure(self, *args: Any, terminal: bool = False) -> None:
        self._stream = Terminal() if terminal else io.StringIO()
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", self._stream)
            log_setup.configure(*args)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]
