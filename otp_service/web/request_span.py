"""A span for each request, named after its route. What it calls meanwhile are spans within it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Flask, Response

from otp_service.web.errors import InternalError
from otp_service.web.request_log import POLLED, method_and_route
from otp_service.web.unproxied import the_g, the_request

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from otp_service.observability.tracing import Tracing

_SPAN, _TOLD = "otp_service.span", "otp_service.span_told"


def init_app(app: Flask, tracing: Tracing) -> None:
    """After `request_log`, whose line then belongs to the span."""
    app.wsgi_app = partial(_traced, tracing, app.wsgi_app)  # type: ignore[method-assign]
    app.after_request(partial(_describe, tracing))


def _traced(
    tracing: Tracing, application: Callable[..., Iterable[bytes]], environ: Any, *more: Any
) -> Iterable[bytes]:
    """Around all of it: whatever else fails, a span ends, and its thread is free of it."""
    if environ["PATH_INFO"] in POLLED:
        return application(environ, *more)
    with tracing.request(environ.get("HTTP_TRACEPARENT", "")) as span:
        environ[_SPAN] = span
        answer = application(environ, *more)
        if _TOLD not in environ:  # what comes after a request broke before it came to `_describe`
            tracing.failed(span, InternalError.code)
        return answer


def _describe(tracing: Tracing, response: Response) -> Response:
    request = the_request()
    request.environ[_TOLD] = True
    span: Span | None = request.environ.get(_SPAN)
    if span is None or not span.is_recording():
        return response
    method, route = method_and_route(request)
    refusal = the_g().get("refusal")
    outcome = refusal.code if refusal else "ok"
    span.update_name(f"{method} {route}")
    span.set_attributes(
        {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": response.status_code,
            "url.scheme": request.scheme,
            "otp.outcome": outcome,
        }
    )
    if response.status_code >= 500:
        tracing.failed(span, outcome)
    return response
