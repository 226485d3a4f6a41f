"""`GET /metrics`, and the count of all requests that it tells."""

from __future__ import annotations

import time

from flask import Flask, Response, g
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from otp_service.domain.errors import OtpError
from otp_service.web import auth, request_log
from otp_service.web.blueprint import Blueprint, Tag
from otp_service.web.dependencies import parts

bp = Blueprint("metrics", auth.READ, Tag.OPERATIONS)

_EXAMPLE = """\
# HELP otp_database_up Whether the database answers.
# TYPE otp_database_up gauge
otp_database_up 1.0
"""


@bp.get("/metrics")
@bp.pages("Prometheus' text format, 0.0.4", "text/plain", _EXAMPLE)
def metrics() -> Response:
    """Numbers for Prometheus.

    Counters of all processes of this machine's service, and the state of the one that answers.
    Asks neither a database nor a provider. No label holds a phone number, a code or a key.
    """
    return Response(parts().metrics.text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def init_app(app: Flask) -> None:
    app.after_request(_count)


def _count(response: Response) -> Response:
    refusal: OtpError | None = g.get("refusal")
    method, route = request_log.asked()
    code = refusal.code if refusal else "ok"
    took = time.perf_counter() - g.started  # which `headers` notes
    parts().metrics.request(method, route, response.status_code, code, took)
    if refusal and _is_of_a_limit(refusal, response.status_code):
        parts().metrics.limit_refusal(refusal.details)
    return response


def _is_of_a_limit(refusal: OtpError, status: int) -> bool:
    """A 403 is one of a destination, which has a reason, or else the key's scope is too small."""
    return status == 429 or (status == 403 and "reason" in refusal.details)
