"""What a check found, in words for whoever runs the service."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from otp_service.domain.errors import DeliveryError


class Mark(str, Enum):
    """Codes don't arrive, or not as they should, for a problem; a warning may be meant so."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """``advice`` is what to do. Neither holds a key, a code or a whole phone number."""

    mark: Mark
    subject: str
    text: str
    advice: str = ""


def ok(subject: str, text: str) -> Finding:
    return Finding(Mark.OK, subject, text)


def warning(subject: str, text: str, advice: str = "") -> Finding:
    return Finding(Mark.WARNING, subject, text, advice)


def problem(subject: str, text: str, advice: str = "") -> Finding:
    return Finding(Mark.PROBLEM, subject, text, advice)


def of_failure(subject: str, error: DeliveryError, *advice: str) -> Finding:
    """What it means, the provider's own reason, and what may be done."""
    reason = f"{error.failure.explanation} ({error.reason})" if error.reason else ""
    steps = [*advice, error.failure.advice]
    return problem(subject, reason or error.failure.explanation, " ".join(filter(None, steps)))
