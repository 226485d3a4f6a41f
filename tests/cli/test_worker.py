"""`flask --app wsgi otp worker`, as a process of its own beside a server without a worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from flask import Flask

from otp_service import create_app
from otp_service.simulator import Simulator
from tests.conftest import SECRET
from tests.events import receiver as events
from tests.events.endpoints import listen
from tests.events.receiver import Receiver
from tests.faults.loopback import LOOPBACK, free_port
from tests.faults.processes import PATIENCE, Server, Servers, account
from tests.faults.service import PHONE
from tests.faults.waiting import until

ROOT = Path(__file__).parents[2]
HOOK_SECRET = "a-webhook-secret-of-the-tests"


class WorkerProcess:
    """``log`` is its standard error, a file."""

    def __init__(self, log: Path, settings: dict[str, str], *arguments: str) -> None:
        self._log = log
        with log.open("w") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "flask", "--app", "wsgi", "otp", "worker", *arguments],
                cwd=ROOT,
                env=os.environ | settings,
                stderr=stderr,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    def is_up(self) -> bool:
        assert self._process.poll() is None, self.log
        return "the worker runs" in self.log

    def stop(self, number: int) -> int:
        """Its exit code."""
        self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(seed=1, delay=0.02, retry_pause=0.1) as simulator:
        yield simulator


@pytest.fixture
def settings(simulator: Simulator, database_url: str) -> dict[str, str]:
    return account(simulator.gupshup_url) | {
        "DATABASE_URL": database_url,
        "FALLBACK_DATABASE_URL": "off",
        "OTP_SECRET": SECRET,
        "OTP_WORKER": "off",
        "GUPSHUP_WEBHOOK_SECRET": HOOK_SECRET,
    }


@pytest.fixture
def server(settings: dict[str, str], simulator: Simulator) -> Iterator[Server]:
    """With OTP_WORKER=off; receipts come to it."""
    with Servers(**settings) as servers:
        server = servers.start()
        until(lambda: server.ready().status == 200, PATIENCE)  # the schema is there
        simulator.callback_url = f"{server.url}/webhooks/gupshup?token={HOOK_SECRET}"
        yield server


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with events.receiver() as receiver:
        yield receiver


@contextmanager
def worker(settings: dict[str, str], folder: Path, *arguments: str) -> Iterator[WorkerProcess]:
    process = WorkerProcess(folder / "worker.log", settings, *arguments)
    try:
        until(process.is_up, PATIENCE)
        yield process
    finally:
        process.kill()


def test_it_sends_what_a_server_without_a_worker_has_stored(
    server: Server, simulator: Simulator, settings: dict[str, str], tmp_path: Path
) -> None:
    server.headers = {"Prefer": "respond-async"}
    stored = server.send()
    assert stored.status == 202
    assert server.ready().data["worker"] == "off"
    assert simulator.messages(PHONE) == []
    with worker(settings, tmp_path) as process:
        until(lambda: bool(simulator.last_code(PHONE)))
        until(lambda: server.get(stored.id).data["deliveries"][0]["status"] == "delivered")
        assert process.stop(signal.SIGTERM) == 0
        assert str(simulator.last_code(PHONE)) not in process.log
        assert PHONE not in process.log
        assert "the worker has ended" in process.log
    assert len(simulator.messages(PHONE)) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_it_has_in_hand_is_finished_before_it_ends(
    server: Server, simulator: Simulator, settings: dict[str, str], tmp_path: Path
) -> None:
    simulator.script(next=1, answer="stall:2", receipts=[])
    server.headers = {"Prefer": "respond-async"}
    stored = server.send()
    with worker(settings, tmp_path) as process:
        until(lambda: bool(simulator.messages(PHONE)))
        assert process.stop(signal.SIGTERM) == 0
    (delivery,) = server.get(stored.id).data["deliveries"]
    assert delivery["status"] == "submitted"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_tells_events_and_prometheus_sees_what_it_does_only_with_a_key_that_may_read(
    server: Server,
    simulator: Simulator,
    settings: dict[str, str],
    receiver: Receiver,
    tmp_path: Path,
) -> None:
    app = create_app(settings)
    listen(app, receiver)
    server.headers = {"Prefer": "respond-async"}
    server.send()
    made = app.test_cli_runner().invoke(args=["otp", "keys", "create", "p"])
    key = {"Authorization": f"Bearer {made.stdout.strip()}"}
    url = f"http://{LOOPBACK}:{(port := free_port())}/metrics"
    keys = {"API_KEYS": "required"}
    with worker(settings | keys, tmp_path, "--metrics-port", str(port)) as process:
        until(lambda: bool(simulator.last_code(PHONE)))
        assert requests.get(url, timeout=30).status_code == 401
        assert requests.get(f"{url}/../send-otp", headers=key, timeout=30).status_code == 404
        told = requests.get(url, headers=key, timeout=30).text
        assert 'otp_provider_calls_total{channel="whatsapp",outcome="accepted"' in told
        until(lambda: "message.submitted" in receiver.types())  # nobody else tells it
        until(lambda: 'otp_events_total{outcome="told"' in requests.get(url, headers=key).text)
        until(lambda: "otp_oldest_due_message_age_seconds{" in requests.get(url, headers=key).text)
        assert process.stop(signal.SIGTERM) == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_with_a_port_that_is_taken_it_ends_at_once_and_says_so(
    server: Server, settings: dict[str, str], tmp_path: Path
) -> None:
    port = server.url.rpartition(":")[2]
    process = WorkerProcess(tmp_path / "worker.log", settings, "--metrics-port", port)
    assert process.wait() == 1
    assert f"can't listen on {LOOPBACK} port {port}" in process.log


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("own", ["on", "off"])
def test_a_signal_ends_it_with_exit_code_0_whatever_otp_worker_says(
    settings: dict[str, str], tmp_path: Path, number: int, own: str
) -> None:
    with worker(settings | {"OTP_WORKER": own}, tmp_path) as process:
        assert process.stop(number) == 0
        assert "Traceback" not in process.log


def test_help_says_when_it_is_needed(app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["otp", "worker", "--help"])
    assert "OTP_WORKER=off" in done.output
    assert "Example: ./otp worker" in done.output
