"""Every request, once it is answered: its headers, its line in the log, its count."""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Iterable
from functools import cache, partial
from http.client import UNAUTHORIZED
from typing import TYPE_CHECKING, NamedTuple

from flask import Flask, Request, Response

from otp_service.domain.errors import OtpError
from otp_service.observability.log_format import REQUEST_ID
from otp_service.observability.log_redaction import WithoutQuery
from otp_service.observability.metrics import Metrics
from otp_service.web.error_handlers import STATUS
from otp_service.web.security_headers import EVERYWHERE, NOTHING
from otp_service.web.unproxied import header, the_g, the_request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger(__name__)

_WITHOUT_QUERY = WithoutQuery()
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Once a second or so: not worth a line each.
POLLED = {"/health", "/ready", "/metrics", "/sandbox/messages"}
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"}
_POLICY = "Content-Security-Policy"
_VARIABLE = re.compile(r"<(?:[^:<>]+:)?(?:\w+_)?(\w+)>")


class ProtectedResponse(Response):
    """Flask's, with the headers that every response has.

    They come last of all: Werkzeug copies and checks one by one what is there when it is done.
    """

    def get_wsgi_response(
        self, environ: WSGIEnvironment
    ) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        body, status, given = super().get_wsgi_response(environ)
        headers = [each for each in given if each[0] not in EVERYWHERE]
        if _POLICY not in dict(headers):
            headers.append((_POLICY, NOTHING))
        headers.append(("X-Request-ID", the_g().request_id))
        return body, status, [*headers, *EVERYWHERE.items()]


class _Answered(NamedTuple):
    method: str
    route: str
    status: int
    refusal: OtpError | None
    seconds: float
    client: str | None


def init_app(app: Flask, metrics: Metrics) -> None:
    """``metrics`` counts the requests."""
    app.response_class = ProtectedResponse
    app.before_request(_begin)
    app.after_request(partial(_finish, metrics))
    logging.getLogger("werkzeug").addFilter(_WITHOUT_QUERY)  # of `flask run`, each request's line
    app.logger = logging.getLogger("flask.app")  # and not ours: Flask's own lines quote paths


def _begin() -> None:
    here = the_g()
    here.started = time.perf_counter()
    here.request_id = own = request_id(header(the_request(), "X-Request-ID") or "")
    REQUEST_ID.set(own)


def request_id(theirs: str) -> str:
    """The caller's, if it has the form of one."""
    if _REQUEST_ID.fullmatch(theirs):
        return theirs
    return f"{random.getrandbits(128):032x}"


def _finish(metrics: Metrics, response: Response) -> Response:
    here = the_g()
    method, route = method_and_route(the_request())
    status, refusal = response.status_code, here.get("refusal")
    seconds = time.perf_counter() - here.started
    client = here.get("client") if status != UNAUTHORIZED else None
    answered = _Answered(method, route, status, refusal, seconds, client)
    _log(answered)
    _count(answered, metrics)
    REQUEST_ID.set(None)
    return response


def method_and_route(request: Request) -> tuple[str, str]:
    """As logs, metrics and spans may tell them.

    Ours, since method and path are the caller's text and may hold a phone number or a code:
    the rule as docs/api.md writes it, such as ``/verifications/{id}``.
    """
    method, rule = request.method, request.url_rule
    route = _route(rule.rule) if rule else "(none)"
    return method if method in _METHODS else "OTHER", route


@cache
def _route(rule: str) -> str:
    return _VARIABLE.sub(r"{\1}", rule)


def _log(answered: _Answered) -> None:
    method, route, status, refusal, seconds, client = answered
    facts = {
        "method": method,
        "route": route,
        "status": status,
        "refusal": refusal.code if refusal else None,
        "ms": round(1000 * seconds, 1),
        "client": client,
    }
    known = {name: fact for name, fact in facts.items() if fact is not None}
    log.log(logging.DEBUG if route in POLLED else logging.INFO, "request", extra=known)


def _count(answered: _Answered, metrics: Metrics) -> None:
    method, route, status, refusal, seconds, _ = answered
    if refusal and _is_of_a_limit(refusal):
        metrics.limit_refusal(refusal.details)
    metrics.request(method, route, status, refusal.code if refusal else "ok", seconds)


def _is_of_a_limit(refusal: OtpError) -> bool:
    """Whatever the answer's own status is, as other systems want it. A 403 is one of a destination,
    which has a reason, or else the key's scope is too small.
    """
    status = STATUS[type(refusal)]
    return status == 429 or (status == 403 and "reason" in refusal.details)
