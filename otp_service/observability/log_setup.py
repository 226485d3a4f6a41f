"""How the service logs: one event a line on standard error.

Modules log with the standard library (``extra`` gives an event its fields) or with structlog: both
come out the same, and through the net of `log_redaction`.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterable
from types import TracebackType

import structlog
from structlog.stdlib import BoundLogger, LoggerFactory, render_to_log_kwargs

from otp_service.observability.log_format import OURS, Handler
from otp_service.observability.log_redaction import Redaction

log = logging.getLogger(__name__)


def configure(level: str = "info", style: str = "auto", secrets: Iterable[str] = ()) -> None:
    """Log from ``level`` on; libraries never below warning, since they tell of URLs and values.

    ``style`` is json, console or auto: console where standard error is a terminal. None of the
    ``secrets`` is in any line. May be called again. What nobody catches is logged, too.
    """
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, Handler)]:
        root.removeHandler(handler)
    root.addHandler(Handler(style, Redaction(secrets)))
    root.setLevel(max(logging.WARNING, getattr(logging, level.upper())))
    logging.getLogger(OURS).setLevel(level.upper())
    structlog.configure(
        processors=[render_to_log_kwargs],
        wrapper_class=BoundLogger,
        logger_factory=LoggerFactory(),
    )
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log.critical("uncaught exception", exc_info=(kind, error, trace))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is SystemExit or args.exc_value is None:
        return
    name = args.thread.name if args.thread else "?"
    info = (args.exc_type, args.exc_value, args.exc_traceback)
    log.critical("uncaught exception", exc_info=info, extra={"in_thread": name})
