"""How the server ends: answered first, told by whom; and a process that dies is replaced."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading

import pytest
import requests

from tests.delivery import misbehaving
from tests.faults.processes import PATIENCE, children
from tests.faults.waiting import until
from tests.server.processes import PHONE, Start, wait_until_healthy


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_its_last_lines_say_who_stopped_it(start: Start, number: signal.Signals) -> None:
    process, _ = start()
    process.send_signal(number)
    lines = process.communicate(timeout=PATIENCE)[1].splitlines()
    stopping, drained, stopped = (json.loads(line) for line in lines[-3:])
    assert (stopping["asked_by"], stopping["requests"]) == (number.name, 0)
    assert drained["event"] == "drained"
    assert stopped["event"] == "stopped"


def test_a_process_that_dies_is_replaced(start: Start) -> None:
    process, url = start(WEB_CONCURRENCY="2")
    killed = children(process.pid)
    for child in killed:
        os.kill(child, signal.SIGKILL)
    until(lambda: len(children(process.pid) - killed) == 2)
    wait_until_healthy(process, url)


def test_children_whose_parent_was_killed_go_too(start: Start) -> None:
    """Else they would go on serving, and a new parent would not get the port."""
    process, url = start(WEB_CONCURRENCY="2")
    process.kill()
    assert "the parent of the server processes is gone" in process.communicate(timeout=PATIENCE)[1]
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/health", timeout=30)


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_request_in_flight_is_answered_after_sigterm(start: Start, processes: str) -> None:
    asked = threading.Event()

    def slowly(sock: socket.socket, over: threading.Event) -> None:
        asked.set()
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
            target=lambda: answers.append(
                requests.post(f"{url}/send-otp", json=PHONE, timeout=PATIENCE)
            )
        )
        sending.start()
        assert asked.wait(30)
        process.send_signal(signal.SIGTERM)
        sending.join()
    assert answers[0].json()["message"] == "OTP sent successfully"
    log = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 0
    told = [json.loads(line) for line in log.splitlines()]
    (stopping,) = (
        line for line in told if line["event"].startswith("stopping") and line["requests"]
    )
    assert (stopping["asked_by"], stopping["requests"]) == ("SIGTERM", 1)
    assert [line["unanswered"] for line in told if line["event"] == "drained"][-1] == 0
