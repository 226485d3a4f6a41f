"""An answer of the server's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from waitress.task import ErrorTask

from otp_service.domain.errors import OtpError
from otp_service.web import error_handlers, errors, request_log, security_headers

_REFUSALS: dict[int, Callable[[], OtpError]] = {
    413: errors.BodyTooLarge,
    500: errors.InternalError,
    503: partial(errors.Busy, retry_after=5),
}


def refusal(status: int, request_id: str) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body, in the application's words; ``request_id`` is the caller's, or anything."""
    error = _REFUSALS.get(status, errors.BadRequest)()
    headers = [
        *security_headers.EVERYWHERE.items(),
        ("Content-Security-Policy", security_headers.NOTHING),
        ("Content-Type", "application/json"),
        ("X-Request-ID", request_log.request_id(request_id)),
    ]
    if error.retry_after is not None:
        headers.append(("Retry-After", str(error.retry_after)))
    return headers, json.dumps(error_handlers.envelope(error)).encode()


class EnvelopeTask(ErrorTask):
    """What waitress refuses before the application sees it."""

    def execute(self) -> None:
        error = self.request.error
        headers, body = refusal(error.code, self.request.headers.get("X_REQUEST_ID", ""))
        self.status = f"{error.code} {error.reason}"
        self.response_headers += headers
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)
