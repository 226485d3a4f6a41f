"""`GET /metrics`."""

from __future__ import annotations

from flask import Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from otp_service.observability.metrics import Metrics
from otp_service.web import auth
from otp_service.web.blueprint import Blueprint, Tag

_EXAMPLE = """\
# HELP otp_database_up Whether the database answers.
# TYPE otp_database_up gauge
otp_database_up 1.0
"""


def blueprint(counted: Metrics) -> Blueprint:
    bp = Blueprint("metrics", auth.READ, Tag.OPERATIONS)

    @bp.get("/metrics")
    @bp.pages("Prometheus' text format, 0.0.4", "text/plain", _EXAMPLE)
    def metrics() -> Response:
        """Numbers for Prometheus.

        Counters of all processes of this machine's service, and the state of the one that answers.
        Asks neither a database nor a provider. No label holds a phone number, a code or a key.
        """
        return Response(counted.text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)

    return bp
