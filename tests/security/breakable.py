"""`python wsgi.py`, only that it breaks where a test asks for it, as a fault that nobody foresaw.

The texts of these exceptions hold what the request held, as those of real ones may. For the
purpose ``leak`` there is a log line and a fact of a span that should not be: the code that a person
typed.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from flask import Flask, Response, request
from opentelemetry import trace

from otp_service import create_app
from otp_service.domain.service import OtpService
from otp_service.server import launch

_verify: Any = OtpService.verify


def _break() -> None:
    raise ValueError(f"{request.path} {request.get_data()!r} {dict(request.headers)}")


def _break_in_a_thread() -> None:
    text = f"{request.get_data()!r}"

    def run() -> None:
        raise ValueError(text)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def _verify_badly(self: OtpService, person: Any, code: str, *more: Any) -> Any:
    if person.purpose == "leak":
        logging.getLogger("otp_service.test").info("checking %s", code)
        trace.get_current_span().set_attribute("otp.checking", code)
    if person.purpose == "break":
        _break()
    if person.purpose == "break-thread":
        _break_in_a_thread()
    return _verify(self, person, code, *more)


def _finish(response: Response) -> Response:
    if "X-Break-After" in request.headers:
        _break()
    return response


def _tear_down(_: object) -> None:
    if "X-Break-Teardown" in request.headers:
        _break()


def _application(*args: Any, **settings: Any) -> Flask:
    app = create_app(*args, **settings)
    app.after_request(_finish)
    app.teardown_request(_tear_down)
    return app


if __name__ == "__main__":
    OtpService.verify = _verify_badly  # type: ignore[method-assign, assignment]
    launch.create_app = _application  # type: ignore[attr-defined]
    launch.main()
