"""How the service logs: one event a line on standard error.

Modules log with the standard library (``extra`` gives an event its fields) or with structlog: both
come out the same, and through the net of `log_safety`.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterable
from types import TracebackType
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import sqlalchemy as sa
import structlog
from structlog.stdlib import BoundLogger, LoggerFactory, ProcessorFormatter

from otp_service.observability.log_format import OURS, Handler
from otp_service.observability.log_redaction import Safe
from otp_service.settings import Settings

_SHORT = 4
log = logging.getLogger(__name__)


def configure(level: str = "info", style: str = "auto", secrets: Iterable[str] = ()) -> None:
    """Log from ``level`` on; libraries never below warning, since they tell of URLs and values.

    ``style`` is json, console or auto: console where standard error is a terminal. None of the
    ``secrets`` is in any line. May be called again. What nobody catches is logged, too.
    """
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, Handler)]:
        root.removeHandler(handler)
    root.addHandler(Handler(style, Safe(secrets)))
    root.setLevel(max(logging.WARNING, getattr(logging, level.upper())))
    logging.getLogger(OURS).setLevel(level.upper())
    structlog.configure(
        processors=[ProcessorFormatter.wrap_for_formatter],
        wrapper_class=BoundLogger,
        logger_factory=LoggerFactory(),
    )
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def follow(settings: Settings) -> None:
    """Log as the settings say."""
    configure(settings.log_level, settings.log_format, _secrets(settings))


def _secrets(settings: Settings) -> set[str]:
    """Every secret of the settings, as it is written there and in URLs."""
    meta = settings.meta
    secrets = {secret.key.hex() for secret in settings.secrets}
    secrets |= {settings.gupshup.api_key, settings.gupshup_webhook_secret, settings.sms.password}
    secrets |= {meta.access_token, meta.app_secret, meta.verify_token}
    url = sa.make_url(settings.database_url)
    secrets |= {str(url.password or ""), str(url.query.get("password", ""))}
    for address in (settings.gupshup.api_url, settings.sms.api_url, meta.api_url):
        secrets |= _of_address(address)
    return secrets | {quote(secret, safe="") for secret in secrets}


def _of_address(address: str) -> set[str]:
    """Who calls, and what the query says; a short value may be a part of words that are none."""
    found = urlsplit(address)
    values = {value for _, value in parse_qsl(found.query)}
    user = found.netloc.rpartition("@")[0].partition(":")[2]
    return {value for value in {*values, user, unquote(user)} if len(value) > _SHORT}


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log.critical("uncaught exception", exc_info=(kind, error, trace))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is SystemExit or args.exc_value is None:
        return
    name = args.thread.name if args.thread else "?"
    info = (args.exc_type, args.exc_value, args.exc_traceback)
    log.critical("uncaught exception", exc_info=info, extra={"in_thread": name})
