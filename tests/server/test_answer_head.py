"""The head of an answer is what waitress would write, to the byte."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from waitress.task import Task

from otp_service.server.tasks import ApplicationTask

HEADERS: dict[str, list[tuple[str, str]]] = {
    "none": [],
    "a length": [("content-length", "5")],
    "spelled in any way": [("x-request-ID", "abc"), ("CONTENT-TYPE", "text/plain"), ("etag", "1")],
    "the same name twice": [("Vary", "b"), ("Set-Cookie", "b=1"), ("vary", "a"), ("A", "%s")],
    "one name begins as another": [("X-Ab", "1"), ("X-A-B", "2"), ("X-A", "3")],
    "a date of its own": [("date", "Thu, 01 Jan 1970 00:00:00 GMT"), ("Z%-a", "%d é")],
    "both": [("Content-Length", "0"), ("Date", "Thu, 01 Jan 1970 00:00:00 GMT")],
}


def head(of: Any, version: str, status: str, wish: str, name: str, *, one: bool) -> Any:
    """With what is then known of the answer's end; ``one``: the body is one piece."""
    request = SimpleNamespace(version=version, headers={"CONNECTION": wish} if wish else {})
    server = SimpleNamespace(adj=SimpleNamespace(ident=None), is_closing=False)
    channel = SimpleNamespace(server=server)
    task = of(channel, request)
    task.status, task.start_time, task.response_headers = status, 1_700_000_000.7, HEADERS[name][:]
    told = dict(HEADERS[name])
    length = told.get("content-length", told.get("Content-Length"))
    task.content_length = int(length) if length is not None else 5 if one else None
    return task.build_response_header(), task.chunked_response, task.close_on_finish


@pytest.mark.parametrize("name", HEADERS)
def test_it_is_what_waitress_would_write(name: str) -> None:
    for case in product(
        ["1.0", "1.1"],
        ["200 OK", "204 NO CONTENT", "304 NOT MODIFIED", "404 NOT FOUND"],
        ["", "close", "Keep-Alive", "upgrade"],
    ):
        for one in (True, False):
            assert head(ApplicationTask, *case, name, one=one) == head(
                Task, *case, name, one=one
            ), case
