"""Granian in waitress's place: it starts, answers and ends in the same way."""

from __future__ import annotations

import json
from http.client import HTTPConnection

import pytest
import requests
from flask import Flask, request

from tests.conftest import LiveServer, Serve
from tests.faults.processes import PATIENCE
from tests.scrape import Scrape
from tests.server.granian import serve, start
from tests.server.processes import PHONE, Start
from tests.server.test_launch import (
    test_it_starts_with_nothing_prepared_and_says_where_messages_go,
    test_no_log_line_of_a_tour_has_a_code_or_a_whole_number,
)
from tests.server.test_supervisor import (
    test_a_process_that_dies_is_replaced,
    test_a_request_in_flight_is_answered_after_sigterm,
    test_children_whose_parent_was_killed_go_too,
    test_its_last_lines_say_who_stopped_it,
)

__all__ = [
    "serve",
    "start",
    "test_a_process_that_dies_is_replaced",
    "test_a_request_in_flight_is_answered_after_sigterm",
    "test_children_whose_parent_was_killed_go_too",
    "test_it_starts_with_nothing_prepared_and_says_where_messages_go",
    "test_its_last_lines_say_who_stopped_it",
    "test_no_log_line_of_a_tour_has_a_code_or_a_whole_number",
]


def test_every_line_of_its_log_is_one_of_ours(start: Start) -> None:
    process, url = start(WEB_CONCURRENCY="2")
    requests.post(f"{url}/send-otp", json=PHONE)
    process.terminate()
    told = [json.loads(line) for line in process.communicate(timeout=PATIENCE)[1].splitlines()]
    assert {line["logger"].partition(".")[0] for line in told} == {"otp_service"}


def test_it_says_at_the_start_what_a_proxy_must_do_for_it(start: Start) -> None:
    process, _ = start()
    process.terminate()
    (warning,) = (
        line
        for line in process.communicate(timeout=PATIENCE)[1].splitlines()
        if "OTP_SERVER" in line
    )
    assert "put a proxy in front that writes requests anew" in warning


def test_several_processes_answer_one_sum(start: Start) -> None:
    _, url = start(WEB_CONCURRENCY="2")

    def counted() -> float:
        text = requests.get(f"{url}/metrics", timeout=30).text
        return Scrape.of(text).value("otp_http_requests_total", route="/docs", code="ok") or 0

    for _ in range(20):
        assert requests.get(f"{url}/docs", timeout=30).ok
    assert {counted() for _ in range(10)} == {20}


def test_an_answer_is_the_same_by_either(live_server: LiveServer) -> None:
    by_granian = requests.get(f"{live_server.url}/health", timeout=20)
    without_server = live_server.app.test_client().get("/health")
    assert by_granian.content == without_server.data
    for name, value in without_server.headers:
        assert name == "X-Request-ID" or by_granian.headers[name] == value
    assert by_granian.headers["X-Request-ID"]


def test_head_tells_the_length_of_what_get_has(live_server: LiveServer) -> None:
    told = requests.head(f"{live_server.url}/health", timeout=20)
    whole = requests.get(f"{live_server.url}/health", timeout=20)
    assert (told.content, told.headers["Content-Length"]) == (b"", str(len(whole.content)))


@pytest.fixture
def echo(serve: Serve) -> LiveServer:
    """An application that tells of a request what WSGI has of it."""
    app = Flask("echo")

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
    @app.route("/<path:path>", methods=["GET", "POST"])
    def tell(path: str) -> dict[str, str | None]:
        named = ("A", "X-Forwarded-For")
        told = {name: request.headers.get(name) for name in named}
        body = request.get_data().decode()
        return told | {"path": path, "peer": request.remote_addr, "body": body}

    return serve(app)


def test_a_path_is_read_as_utf_8(echo: LiveServer) -> None:
    assert requests.get(f"{echo.url}/%C3%A9%20a", timeout=20).json()["path"] == "é a"


def test_a_header_given_twice_is_one_with_both(echo: LiveServer) -> None:
    connection = HTTPConnection(echo.url.removeprefix("http://"), timeout=20)
    connection.putrequest("GET", "/")
    connection.putheader("A", "1")
    connection.putheader("A", "2")
    connection.endheaders()
    assert json.loads(connection.getresponse().read())["A"] == "1, 2"
    connection.close()


def test_a_header_with_an_underscore_does_not_pass_for_one_with_a_hyphen(echo: LiveServer) -> None:
    told = requests.get(f"{echo.url}/", headers={"X_Forwarded_For": "192.0.2.1"}, timeout=20)
    assert told.json()["X-Forwarded-For"] is None
    assert told.json()["peer"] == "127.0.0.1"


def test_what_the_application_does_not_answer_is_a_500_and_the_next_is_answered(
    serve: Serve,
) -> None:
    app = Flask("fails")
    app.testing = True  # so that what it raises comes through
    app.add_url_rule("/fails", "fails", lambda: str(1 / 0))
    app.add_url_rule("/", "works", lambda: "yes")
    url = serve(app).url
    assert requests.get(f"{url}/fails", timeout=20).status_code == 500
    assert requests.get(url, timeout=20).text == "yes"
