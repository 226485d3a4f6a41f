"""What every response carries, and one log line for each."""

from __future__ import annotations

import logging
import re
import secrets
import time

from flask import Flask, Response, g, request

log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_POLLED = {"/health", "/sandbox/messages"}  # once a second or so: not worth a line each
NOTHING = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"


def content_security_policy(
    *, style: str = "'self'", worker: str = "'none'", child: str = "'none'", form: str = "'none'"
) -> str:
    """A policy for a page whose scripts, styles and data all come from this server."""
    return (
        f"default-src 'none'; script-src 'self'; style-src {style}; img-src 'self' data:; "
        f"font-src 'self' data:; connect-src 'self'; worker-src {worker}; child-src {child}; "
        f"form-action {form}; base-uri 'none'; frame-ancestors 'none'"
    )


def init_app(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> None:
    g.started = time.perf_counter()
    theirs = request.headers.get("X-Request-ID", "")
    g.request_id = theirs if _REQUEST_ID.fullmatch(theirs) else secrets.token_hex(16)


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Content-Security-Policy", NOTHING)
    # The rule, not the path: a path is the caller's text and may hold a phone number.
    rule = request.url_rule.rule if request.url_rule else "(no route)"
    took = 1000 * (time.perf_counter() - g.started)
    level = logging.DEBUG if rule in _POLLED else logging.INFO
    status = response.status_code
    log.log(level, "%s %s %d %.1f ms %s", request.method, rule, status, took, g.request_id)
    return response
