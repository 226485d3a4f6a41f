"""What every response carries, and one log line for each."""

from __future__ import annotations

import logging
import re
import secrets
import time
from http.client import UNAUTHORIZED

from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from otp_service.domain.errors import OtpError
from otp_service.observability.log_redaction import WithoutQuery

log = logging.getLogger(__name__)

_WITHOUT_QUERY = WithoutQuery()
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Once a second or so: not worth a line each.
_POLLED = {"/health", "/ready", "/metrics", "/sandbox/messages"}
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"}
_VARIABLE = re.compile(r"<(?:[^:<>]+:)?(?:\w+_)?(\w+)>")
NOTHING = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
_UNNEEDED = (
    "accelerometer autoplay camera display-capture encrypted-media fullscreen geolocation "
    "gyroscope hid idle-detection magnetometer microphone midi payment picture-in-picture "
    "publickey-credentials-get screen-wake-lock serial usb xr-spatial-tracking"
)
EVERYWHERE = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _UNNEEDED.split()),
}
"""Headers of every response, also of those that the server makes without the application."""


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
    app.teardown_request(lambda _: clear_contextvars())
    logging.getLogger("werkzeug").addFilter(_WITHOUT_QUERY)  # of `flask run`, each request's line
    app.logger = logging.getLogger("flask.app")  # and not ours: Flask's own lines quote paths


def _begin() -> None:
    g.started = time.perf_counter()
    g.request_id = request_id(request.headers.get("X-Request-ID", ""))
    clear_contextvars()
    bind_contextvars(request_id=g.request_id)  # in every line that this thread logs from now on


def request_id(theirs: str) -> str:
    """The caller's, if it has the form of one."""
    return theirs if _REQUEST_ID.fullmatch(theirs) else secrets.token_hex(16)


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    response.headers.update(EVERYWHERE)
    response.headers.setdefault("Content-Security-Policy", NOTHING)
    _log(response.status_code)
    return response


def asked() -> tuple[str, str]:
    """The request's method and route, as logs and metrics may tell them.

    Ours, since method and path are the caller's text and may hold a phone number or a code:
    the rule as docs/api.md writes it, such as ``/verifications/{id}``.
    """
    method = request.method if request.method in _METHODS else "OTHER"
    rule = request.url_rule.rule if request.url_rule else "(none)"
    return method, _VARIABLE.sub(r"{\1}", rule)


def _log(status: int) -> None:
    method, route = asked()
    refusal: OtpError | None = g.get("refusal")
    facts = {
        "method": method,
        "route": route,
        "status": status,
        "refusal": refusal.code if refusal else None,
        "ms": round(1000 * (time.perf_counter() - g.started), 1),
        "client": g.get("client") if status != UNAUTHORIZED else None,
    }
    known = {name: fact for name, fact in facts.items() if fact is not None}
    log.log(logging.DEBUG if route in _POLLED else logging.INFO, "request", extra=known)
