"""From a record to a line: its fields in their order, each of them safe, as JSON or for eyes."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from structlog.contextvars import get_contextvars
from structlog.dev import ConsoleRenderer
from structlog.processors import JSONRenderer
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict, Processor

from otp_service.observability.log_redaction import Redaction, described, plain_words

OURS = "otp_service"
_NO_FIELDS = ("_from_structlog", "stack_info", "message", "asctime")  # the last: other handlers'
_add_extra = ExtraAdder()


class Handler(logging.StreamHandler[Any]):
    """Writes to standard error; of libraries, what is a warning or worse.

    ``style`` is json, console or auto: console where standard error is a terminal.
    """

    def __init__(self, style: str, safe: Redaction) -> None:
        super().__init__(sys.stderr)
        terminal = sys.stderr.isatty()
        renderer: Processor = JSONRenderer(ensure_ascii=False)
        if style == "console" or (style == "auto" and terminal):
            renderer = ConsoleRenderer(colors=terminal, sort_keys=False)
        chain: list[Processor] = [_Line(safe), renderer]
        self.setFormatter(ProcessorFormatter(processors=chain, foreign_pre_chain=[_fields]))
        self.addFilter(lambda record: _is_ours(record) or record.levelno >= logging.WARNING)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """A line that can't be made: Python's own way would print its arguments."""
        place = f"{record.filename}:{record.lineno}"
        line = {"level": "error", "event": "a log line could not be written", "place": place}
        with suppress(OSError, ValueError):
            self.stream.write(json.dumps(line) + "\n")


class _Line:
    def __init__(self, safe: Redaction) -> None:
        self._safe = safe

    def __call__(self, _logger: object, _name: str, found: EventDict) -> EventDict:
        record: logging.LogRecord = found.pop("_record")
        for name in _NO_FIELDS:
            found.pop(name, None)
        event, error = str(found.pop("event", "")), _exception(found.pop("exc_info", None))
        first = {
            "timestamp": _time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": self._safe.text(event if _is_ours(record) else plain_words(event)),
        }
        fields = {**get_contextvars(), **found, **(described(error) if error else {})}
        return {**first, **{self._safe.text(k): self._safe(v) for k, v in fields.items()}, **first}


def _fields(logger: Any, name: str, found: EventDict) -> EventDict:
    """What the standard library's ``extra`` gave; not a library's, which may be anything."""
    return _add_extra(logger, name, found) if _is_ours(found["_record"]) else found


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] == OURS


def _time(seconds: float) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    time = datetime.fromtimestamp(seconds, timezone.utc)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _exception(given: object) -> BaseException | None:
    """From the ways in which ``exc_info`` can be given."""
    if given is True:
        return sys.exc_info()[1]
    if isinstance(given, tuple):
        return _exception(given[1])
    return given if isinstance(given, BaseException) else None
