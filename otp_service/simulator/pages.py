"""What the simulator's pages share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import phonenumbers
from flask import Response, request

SHOWN = 100  # newest of what a page lists
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


def answer(tag: str, render: Callable[[], str]) -> Response:
    """The page; it is not made again for a browser that has it, as ``tag`` says."""
    response = Response(content_type="text/html; charset=utf-8")
    response.set_etag(tag)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if not request.if_none_match.contains(tag):
        response.set_data(render().encode(errors="replace"))  # texts may hold half a character
    response.make_conditional(request)
    return response


def origin() -> str:
    """Where the browser reaches the simulator, without a slash at the end."""
    return request.host_url.rstrip("/")


def grouped(number: str) -> str:
    """As its country groups the digits, if it has any."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def clock(at: datetime) -> str:
    """By this machine's clock; the pages are about what happens now."""
    return f"{at.astimezone():%H:%M:%S}"
