"""Why a trial's message was not taken, in words: whatever the service may answer to a send."""

from __future__ import annotations

from otp_service.cli.check.findings import Finding, of_failure, problem
from otp_service.domain.errors import (
    DeliveryError,
    DestinationNotAllowed,
    InvalidRequest,
    OtpError,
    PhoneLocked,
    SendLimitExceeded,
    StorageUnavailable,
)
from otp_service.domain.limits import COUNTED
from otp_service.wording import REFUSALS, span

_ASK = "./otp why +NUMBER tells of every limit, and ./otp unlock +NUMBER lets it go on."


def refusal(error: OtpError, channel: str) -> Finding:
    """A problem, whatever it is."""
    if isinstance(error, DeliveryError):
        return of_failure("send", error)
    if isinstance(error, DestinationNotAllowed):
        reason = str(error.details.get("reason"))
        text = f"this phone gets no messages: {REFUSALS.get(reason, reason)}"
        return problem("send", text, "Change that setting, or try another number.")
    if isinstance(error, SendLimitExceeded | PhoneLocked):
        return problem("send", f"{error.message}{_limit(error)}", _ASK)
    if isinstance(error, InvalidRequest):
        return problem("send", f"{channel} is not configured", "Choose another --channel.")
    if isinstance(error, StorageUnavailable):
        return problem("send", f"the code could not be stored: {error.reason or error.message}")
    return problem("send", error.message)


def _limit(error: OtpError) -> str:
    name, met = str(error.details.get("limit")), ""
    if allowed := error.details.get("allowed"):
        seconds = int(str(error.details.get("per_seconds", 0)))
        within = f"in {span(seconds)}" if seconds else "at once"
        met = f" ({COUNTED.get(name, name)}: {allowed} {within})"
    return f"{met}: again in {error.retry_after} s" if error.retry_after else met
