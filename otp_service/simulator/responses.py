"""What a send call may be answered, beside what its provider documents."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Response
from waitress.channel import ClientDisconnected

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_NESTED = b'{"error":{"code":132000,"message":"Param mismatch"}}'
STRANGE = {
    "html": (b"<!DOCTYPE html><html><body>Please wait...</body></html>", 200, "text/html"),
    "garbage": (b'{"status":"subm\xff\x00', 200, "application/json"),
    "text": (b"Invalid App Details", 400, "text/plain"),
    "nested": (_NESTED, 400, "application/json"),
}


class NoAnswer(Response):
    """Ends the connection instead: waitress closes it on this exception."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise ClientDisconnected


def as_json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


def strange(word: str) -> Response:
    """One that fits no documentation: `STRANGE` has them."""
    body, status, kind = STRANGE[word]
    return Response(body, status, content_type=kind)


def summary(response: Response) -> str:
    """Short enough for a page: the status and the body's beginning."""
    if isinstance(response, NoAnswer):
        return "connection closed"
    body = response.get_data()[:200].decode(errors="replace")
    return f"{response.status_code} {body}"
