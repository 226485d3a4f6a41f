"""The server on real sockets: several processes, a clean end, and waitress's own refusals."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests

from tests.conftest import SECRET, LiveServer
from tests.delivery import misbehaving

ROOT = Path(__file__).parents[2]
PHONE = {"phone_number": "+919876543210"}
Start = Callable[..., tuple[subprocess.Popen[str], str]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_until_healthy(process: subprocess.Popen[str], url: str) -> None:
    for _ in range(200):
        try:
            requests.get(f"{url}/health", timeout=1).raise_for_status()
        except requests.RequestException:
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not come up")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`python wsgi.py` as an operator starts it."""
    processes: list[subprocess.Popen[str]] = []

    def run(**settings: str) -> tuple[subprocess.Popen[str], str]:
        port = free_port()
        own = {"DATABASE_URL": f"sqlite:///{tmp_path / 'otp.db'}", "OTP_SECRET": SECRET}
        process = subprocess.Popen(
            [sys.executable, "wsgi.py"],
            cwd=ROOT,
            env=os.environ | own | {"PORT": str(port)} | settings,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        url = f"http://127.0.0.1:{port}"
        wait_until_healthy(process, url)
        return process, url

    yield run
    for process in processes:
        process.terminate()
        process.communicate(timeout=30)


def test_it_starts_with_nothing_prepared_and_says_where_messages_go(start: Start) -> None:
    process, url = start()
    assert requests.post(f"{url}/send-otp", json=PHONE).json()["success"]
    process.terminate()
    log = process.communicate(timeout=30)[1]
    assert f"Listening on {url}, documentation at {url}/docs, messages at {url}/sandbox" in log
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_its_last_lines_say_who_stopped_it(start: Start, number: signal.Signals) -> None:
    process, _ = start()
    process.send_signal(number)
    lines = process.communicate(timeout=30)[1].splitlines()
    stopping, drained, stopped = (json.loads(line) for line in lines[-3:])
    assert (stopping["asked_by"], stopping["requests"]) == (number.name, 0)
    assert drained["event"] == "drained"
    assert stopped["event"] == "stopped"


def wsgi(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "wsgi.py", *arguments],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("asked", ["--help", "-h"])
def test_help_helps_whatever_the_settings_are_and_starts_nothing(asked: str) -> None:
    done = wsgi(asked, OTP_LENGTH="nonsense", PORT="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "PORT=9000 .venv/bin/python wsgi.py" in done.stdout
    assert "otp --help" in done.stdout
    documented = re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / "env.example").read_text(), re.MULTILINE)
    told = re.findall(
        r"^  ([A-Z_]+)", done.stdout.partition("env.example explains each:\n")[2], re.MULTILINE
    )
    assert sorted(told) == sorted(documented)


@pytest.mark.parametrize("wrong", ["serve", "--port=9000", "-p"])
def test_arguments_that_there_are_not_start_nothing(wrong: str) -> None:
    done = wsgi(wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: python wsgi.py" in done.stderr
    assert wrong.split("=", maxsplit=1)[0] in done.stderr


def test_no_log_line_of_a_tour_has_a_code_or_a_whole_number(start: Start) -> None:
    process, url = start()
    code = requests.post(f"{url}/send-otp", json=PHONE).json()["data"]["otp"]
    requests.post(f"{url}/verify-otp", json=PHONE | {"otp": code})
    requests.get(f"{url}/verifications/+919876543210")
    process.terminate()
    log = process.communicate(timeout=30)[1]
    lines = [json.loads(line) for line in log.splitlines()]
    asked = [(line["route"], line["status"]) for line in lines if line["event"] == "request"]
    assert ("/send-otp", 200) in asked
    assert code not in str([line | {"timestamp": ""} for line in lines])
    assert "9876543210" not in log


def test_a_process_that_dies_is_replaced(start: Start) -> None:
    process, url = start(WEB_CONCURRENCY="2")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) == 2
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    time.sleep(3)
    wait_until_healthy(process, url)


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_request_in_flight_is_answered_after_sigterm(start: Start, processes: str) -> None:
    def slowly(sock: socket.socket, over: threading.Event) -> None:
        over.wait(6)  # more than waitress itself waits for its threads
        sock.sendall(misbehaving.http())

    with misbehaving.serve(slowly) as gupshup:
        process, url = start(
            WEB_CONCURRENCY=processes,
            API_KEYS="off",
            GUPSHUP_API_URL=gupshup.url,
            GUPSHUP_API_KEY="k" * 20,
            GUPSHUP_SOURCE="917834811114",
            GUPSHUP_TEMPLATE_ID="t",
            GUPSHUP_SRC_NAME="DemoApp",
        )
        answers: list[requests.Response] = []
        sending = threading.Thread(
            target=lambda: answers.append(requests.post(f"{url}/send-otp", json=PHONE, timeout=30))
        )
        sending.start()
        time.sleep(0.7)
        process.send_signal(signal.SIGTERM)
        sending.join()
    assert answers[0].json()["message"] == "OTP sent successfully"
    log = process.communicate(timeout=30)[1]
    assert process.returncode == 0
    told = [json.loads(line) for line in log.splitlines()]
    (stopping,) = (
        line for line in told if line["event"].startswith("stopping") and line["requests"]
    )
    assert (stopping["asked_by"], stopping["requests"]) == ("SIGTERM", 1)
    assert [line["unanswered"] for line in told if line["event"] == "drained"][-1] == 0


def test_a_taken_port_is_said_plainly(tmp_path: Path) -> None:
    own = {"DATABASE_URL": f"sqlite:///{tmp_path / 'otp.db'}", "OTP_SECRET": SECRET}
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "wsgi.py"],
            cwd=ROOT,
            env=os.environ | own | {"PORT": port},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 1
    assert f"can't listen on 127.0.0.1 port {port}" in done.stderr


@pytest.mark.statement(18, 20)
@pytest.mark.parametrize(
    ("request_text", "status", "code"),
    [
        (
            b"POST /send-otp HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n",
            413,
            "body_too_large",
        ),
        (b"POST /send-otp HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", 400, "bad_request"),
    ],
)
def test_what_waitress_refuses_has_the_envelope_too(
    live_server: LiveServer, request_text: bytes, status: int, code: str
) -> None:
    host, port = live_server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(request_text)
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"x-request-id:" in head.lower()
    assert json.loads(body)["error"]["code"] == code


@pytest.mark.statement(18)
def test_a_large_body_gets_its_413_before_the_connection_ends(live_server: LiveServer) -> None:
    connection = HTTPConnection(live_server.url.removeprefix("http://"))
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/send-otp", body=b" " * 900_000, headers=headers)
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["error"]["code"] == "body_too_large"
    connection.close()
