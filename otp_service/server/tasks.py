"""What answers a request: the application, or the server in its words."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from waitress.buffers import ReadOnlyFileBasedBuffer
from waitress.task import ErrorTask, WSGITask

from otp_service.domain.errors import OtpError
from otp_service.server.answer_head import AnswerHead
from otp_service.web import error_handlers, errors, hooks, request_log, security_headers

_REFUSALS: dict[int, Callable[[], OtpError]] = {
    413: errors.BodyTooLarge,
    500: errors.InternalError,
    503: partial(errors.Busy, retry_after=5),
}

_WITHOUT_PREFIX = ("CONTENT_LENGTH", "CONTENT_TYPE")


def environ_of_all(server: Any) -> dict[str, Any]:
    """What is the same for all requests to waitress's ``server``."""
    return {
        "SERVER_PORT": str(server.effective_port),
        "SERVER_NAME": server.server_name,
        "SERVER_SOFTWARE": None,
        "SCRIPT_NAME": "",
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": ReadOnlyFileBasedBuffer,
        "wsgi.input_terminated": True,  # who reads beyond its end gets nothing
    }


def refusal(status: int, request_id: str, path: str) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body, in the application's words for this path.

    ``request_id`` is the caller's, or anything; ``path`` empty if it could not be read.
    """
    error = _REFUSALS.get(status, errors.BadRequest)()
    body, content_type = _told(error, path)
    headers = [
        *security_headers.EVERYWHERE.items(),
        ("Content-Security-Policy", security_headers.NOTHING),
        ("Content-Type", content_type),
        ("X-Request-ID", request_log.request_id(request_id)),
    ]
    if error.retry_after is not None:
        headers.append(("Retry-After", str(error.retry_after)))
    return headers, body


def _told(error: OtpError, path: str) -> tuple[bytes, str]:
    if hook := hooks.format_of(path):
        answer = hook.refused(error)
        return answer.body, answer.content_type
    return json.dumps(error_handlers.told(error, path)[0]).encode(), "application/json"


class ApplicationTask(AnswerHead, WSGITask):
    """waitress's, with an environ that is made faster."""

    def get_environment(self) -> dict[str, Any]:
        request, (address, port) = self.request, self.channel.addr[:2]
        environ = {
            **self.channel.server.environ,
            "REMOTE_ADDR": address,
            "REMOTE_HOST": address,
            "REMOTE_PORT": str(port),
            "REQUEST_METHOD": request.command,
            "SERVER_PROTOCOL": f"HTTP/{self.version}",
            "PATH_INFO": request.path,
            "REQUEST_URI": request.request_uri,
            "QUERY_STRING": request.query,
            "wsgi.input": request.get_body_stream(),
            "waitress.client_disconnected": self.channel.check_client_disconnected,
        }
        for name, value in request.headers.items():
            environ[name if name in _WITHOUT_PREFIX else f"HTTP_{name}"] = value
        return environ


class EnvelopeTask(AnswerHead, ErrorTask):
    """What waitress refuses before the application sees it."""

    def execute(self) -> None:
        error = self.request.error
        their_id = self.request.headers.get("X_REQUEST_ID", "")
        headers, body = refusal(error.code, their_id, self.request.path)
        self.status = f"{error.code} {error.reason}"
        self.response_headers += headers
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)
