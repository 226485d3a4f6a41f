"""From a record to a line: its fields in their order, each of them safe, as JSON or for eyes."""

from __future__ import annotations

import json
import logging
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime, timezone
from functools import lru_cache, partial
from itertools import islice
from typing import Any

from structlog.dev import ConsoleRenderer

from otp_service import json_text, syscalls
from otp_service.observability.log_redaction import Redaction, described, plain_words

Line = dict[str, object]

OURS = "otp_service"
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request that this thread answers: in each line that it logs meanwhile."""
trace_ids: Callable[[], Line] = dict
"""Where spans are sent: to which of them a line belongs."""
_OF_EVERY_RECORD = {*vars(logging.makeLogRecord({})), "message", "asctime"}  # the last: formatters'
_STANDARD = len(vars(logging.makeLogRecord({})))


class Handler(logging.StreamHandler[Any]):
    """Writes to standard error; of libraries, what is a warning or worse.

    ``style`` is json, console or auto: console where standard error is a terminal.
    """

    def __init__(self, style: str, safe: Redaction) -> None:
        super().__init__(sys.stderr)
        self._file = _file_or_pipe(sys.stderr)
        terminal = sys.stderr.isatty()
        render: Callable[[Line], str] = _json
        if style == "console" or (style == "auto" and terminal):
            render = partial(ConsoleRenderer(colors=terminal, sort_keys=False), None, "")
        self.setFormatter(_Formatter(safe, render))
        self.addFilter(lambda record: _is_ours(record) or record.levelno >= logging.WARNING)

    def setStream(self, stream: Any) -> Any:  # noqa: N802 (logging's name)
        self._file = _file_or_pipe(stream)
        return super().setStream(stream)

    def emit(self, record: logging.LogRecord) -> None:
        if self._file is None:
            super().emit(record)
            return
        try:
            syscalls.write(self._file, f"{self.format(record)}\n".encode())
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """A line that can't be made: Python's own way would print its arguments."""
        place = f"{record.filename}:{record.lineno}"
        line = {"level": "error", "event": "a log line could not be written", "place": place}
        with suppress(OSError, ValueError):
            self.stream.write(json.dumps(line) + "\n")


def _file_or_pipe(stream: Any) -> int | None:
    """Its descriptor, if it is one."""
    try:
        kind = os.fstat(fd := stream.fileno()).st_mode
    except (OSError, ValueError):  # it is closed, or has none
        return None
    return fd if stat.S_ISREG(kind) or stat.S_ISFIFO(kind) else None


def _json(line: Line) -> str:
    return json_text.dumps(line).decode()


class _Formatter(logging.Formatter):
    def __init__(self, safe: Redaction, render: Callable[[Line], str]) -> None:
        super().__init__()
        self._safe, self._render = safe, render
        self._safe_text = lru_cache(maxsize=1024)(safe.text)  # most are few, the same ever again

    def format(self, record: logging.LogRecord) -> str:
        is_ours, event = _is_ours(record), record.getMessage()
        first: Line = {
            "timestamp": _time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": self._safe_text(event if is_ours else plain_words(event)),
        }
        fields = {**_request(), **(_extra(record) if is_ours else {}), **_error(record)}
        safe = {self._safe_text(name): self._value(value) for name, value in fields.items()}
        return self._render({**first, **trace_ids(), **safe, **first})

    def _value(self, value: object) -> object:
        if type(value) is str:
            return self._safe_text(value)
        if type(value) is int and (text := str(value)) == self._safe_text(text):
            return value
        return self._safe(value)


def _request() -> Line:
    of_request = REQUEST_ID.get()
    return {} if of_request is None else {"request_id": of_request}


def _extra(record: logging.LogRecord) -> Line:
    """What ``extra`` gave, which stands behind the rest; a library's may be anything."""
    behind = islice(vars(record).items(), _STANDARD, None)
    return {k: value for k, value in behind if k not in _OF_EVERY_RECORD}


def _error(record: logging.LogRecord) -> Line:
    error = record.exc_info[1] if record.exc_info else None
    return described(error) if error else {}


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] == OURS


def _time(seconds: float) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    whole = int(seconds)
    return f"{_second(whole)}.{int(1000 * (seconds - whole)):03d}Z"


@lru_cache(maxsize=1)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()[:19]
