"""The values that each label can have: what the code counts with, not what a run showed."""

from __future__ import annotations

import re
from http import HTTPStatus

from flask import Flask

from otp_service.delivery.event_states import LEVELS
from otp_service.domain.failures import FAILURES
from otp_service.domain.provider_events import Kind, Level
from otp_service.domain.verification import Channel
from otp_service.events.poster import Outcome
from otp_service.observability.metrics import CATEGORIES, LIMITS
from otp_service.web.explanations import EXPLANATIONS
from otp_service.wording import REFUSALS

ANSWERS = {"yes", "no", "unknown"}
FREE = {"job", "instance", "version", "le", "rule", "country", "provider"}
"""Chosen by whoever runs it; or of a set that no expression picks from."""


def vocabulary(app: Flask, alerts: set[str]) -> dict[str, set[str]]:
    """By label, or by metric and label where a word means something else for another metric."""
    return {
        "route": {_route(rule.rule) for rule in app.url_map.iter_rules()} | {"(none)"},
        "method": {"GET", "HEAD", "POST", "DELETE", "OPTIONS", "OTHER"},
        "code": {"ok", *EXPLANATIONS},
        "otp_http_requests_total.status": {str(each.value) for each in HTTPStatus},
        "otp_receipts_total.status": {"sent", "delivered", "read", "failed"},
        "otp_events_total.outcome": {each.value for each in Outcome},
        "outcome": {"accepted", "circuit_open", "busy", *FAILURES},
        "failure": {"", *FAILURES},
        "channel": {each.value for each in Channel},
        "limit": {*LIMITS, *REFUSALS, "other"},
        "otp_circuit_state.state": {"closed", "open", "half_open"},
        "otp_provider_events_total.state": set(LEVELS),
        "database": {"primary", "fallback"},
        "level": {each.value for each in Level},
        "kind": {each.value for each in Kind},
        "ours": ANSWERS,
        "billable": ANSWERS,
        "category": CATEGORIES | {"other"},
        "alertname": alerts,
        "alertstate": {"pending", "firing"},
    }


def _route(rule: str) -> str:
    """As metrics name it: ``/verifications/{id}``."""
    return re.sub(r"<(?:[^:<>]+:)?(?:\w+_)?(\w+)>", r"{\1}", rule)
