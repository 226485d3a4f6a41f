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


class EnvelopeTask(ErrorTask):
    """What waitress refuses before the application sees it, in the application's words."""

    def execute(self) -> None:
        error = self.request.error
        refusal = _REFUSALS.get(error.code, errors.BadRequest)()
        body = json.dumps(error_handlers.envelope(refusal)).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers += [
            *security_headers.EVERYWHERE.items(),
            ("Content-Security-Policy", security_headers.NOTHING),
            ("Content-Type", "application/json"),
            ("X-Request-ID", request_log.request_id(self.request.headers.get("X_REQUEST_ID", ""))),
        ]
        if refusal.retry_after is not None:
            self.response_headers.append(("Retry-After", str(refusal.retry_after)))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)
