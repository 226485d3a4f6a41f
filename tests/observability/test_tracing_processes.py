"""Spans of real processes: each sends its own, up to its end, and none waits for a collector."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests.cli.test_worker import WorkerProcess
from tests.conftest import SECRET
from tests.delivery import misbehaving
from tests.faults.waiting import until
from tests.observability.collector import Collector, collector
from tests.server.processes import PHONE, ROOT, Start, start, wsgi
from tests.storage.helpers import wrong

__all__ = ["start"]

ON = {"OTEL_TRACES_EXPORTER": "otlp"}
FROM_A_FILE = """
import sys
from pathlib import Path

import otp_service
from otp_service.web.dependencies import dependencies_of

otp_service.ROOT = Path(sys.argv[1])
app = otp_service.create_app(instance=otp_service.ROOT)
with dependencies_of(app).exporting_spans():
    app.test_client().get("/docs")
"""


@pytest.fixture
def spans() -> Iterator[Collector]:
    with collector() as started:
        yield started


def ended(process: subprocess.Popen[str]) -> list[dict[str, object]]:
    """What it logged, once it has ended at SIGTERM: sooner than the SDK by itself would."""
    process.send_signal(signal.SIGTERM)
    lines = process.communicate(timeout=15)[1].splitlines()
    assert process.returncode == 0
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("server", ["waitress", "granian"])
def test_the_last_spans_are_sent_before_a_server_ends(
    start: Start, spans: Collector, server: str
) -> None:
    rarely = {"OTEL_BSP_SCHEDULE_DELAY": "600000"}
    process, url = start(**spans.settings | rarely, OTP_SERVER=server)
    requests.post(f"{url}/send-otp", json=PHONE)
    ended(process)
    assert spans.named("POST /send-otp")


def test_a_queue_may_be_smaller_than_the_batches_of_the_sdk(start: Start, spans: Collector) -> None:
    process, url = start(**spans.settings | {"OTEL_BSP_MAX_QUEUE_SIZE": "100"})
    requests.post(f"{url}/send-otp", json=PHONE)
    ended(process)
    assert spans.named("POST /send-otp")


def test_each_process_tells_its_own(start: Start, spans: Collector) -> None:
    process, url = start(**spans.settings, WEB_CONCURRENCY="2")

    def instances() -> int:
        requests.post(f"{url}/verify-otp", json=PHONE | {"otp": "123456"})
        return len({span.resource["service.instance.id"] for span in spans.spans})

    until(lambda: instances() == 2)
    ended(process)


def test_a_worker_that_runs_apart_goes_on_in_the_trace_that_the_request_names(
    start: Start, spans: Collector, tmp_path: Path, postgres_url: str
) -> None:
    with misbehaving.serve(misbehaving.say(misbehaving.http())) as gupshup:
        settings = spans.settings | {
            "OTP_SECRET": SECRET,
            "DATABASE_URL": postgres_url,
            "FALLBACK_DATABASE_URL": "off",
            "OTP_WORKER": "off",
            "API_KEYS": "off",
            "GUPSHUP_API_URL": gupshup.url,
            "GUPSHUP_API_KEY": "k" * 20,
            "GUPSHUP_SOURCE": "917834811114",
            "GUPSHUP_TEMPLATE_ID": "t",
            "GUPSHUP_SRC_NAME": "DemoApp",
        }
        _, url = start(**settings)
        requests.post(f"{url}/send-otp", json=PHONE, headers={"Prefer": "respond-async"})
        worker = WorkerProcess(tmp_path / "worker.log", settings)
        try:
            handled = spans.one("handle message")
            assert worker.stop(signal.SIGTERM) == 0, worker.log
        finally:
            worker.kill()
    request, queued = spans.one("POST /send-otp"), spans.one("queue message")
    assert queued.links == [(request.trace, request.id)]
    assert queued.trace == handled.trace
    assert queued.resource["service.instance.id"] != handled.resource["service.instance.id"]


def test_variables_of_a_file_count_too(spans: Collector, tmp_path: Path) -> None:
    """As `.env` is read: what the SDK reads is the process's environment."""
    text = "".join(f"{name}={value}\n" for name, value in spans.settings.items())
    (tmp_path / ".env").write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", FROM_A_FILE, str(tmp_path)],
        cwd=ROOT,
        env={"DATABASE_URL": f"sqlite:///{tmp_path / 'otp.db'}", "OTP_SECRET": SECRET},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert spans.named("GET /docs")


@pytest.fixture(params=["refuses", "silent", "HTTP 500"])
def no_collector(request: pytest.FixtureRequest, spans: Collector) -> Iterator[str]:
    """Where spans can't be sent to."""
    if request.param == "refuses":
        yield misbehaving.closed_port_url()
    elif request.param == "silent":
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    else:
        spans.status = 500
        yield spans.url


def test_without_a_collector_all_is_as_ever_and_it_ends_in_time(
    start: Start, no_collector: str
) -> None:
    often = {"OTEL_BSP_SCHEDULE_DELAY": "10", "OTEL_BSP_MAX_QUEUE_SIZE": "20"}
    small = {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10"}
    process, url = start(**ON | often | small, OTEL_EXPORTER_OTLP_ENDPOINT=no_collector)
    sent = requests.post(f"{url}/send-otp", json=PHONE).json()["data"]["otp"]

    def guess(_: int) -> str:
        body = PHONE | {"otp": wrong(sent), "purpose": "other"}
        return str(requests.post(f"{url}/verify-otp", json=body).json()["error"]["code"])

    with ThreadPoolExecutor(8) as pool:  # many more than the queue has places for
        assert set(pool.map(guess, range(100))) == {"otp_not_found"}
    right = requests.post(f"{url}/verify-otp", json=PHONE | {"otp": sent})
    assert right.json()["success"]
    lines = ended(process)
    assert lines[-1]["event"] == "stopped"
    assert len([line for line in lines if "spans are lost" in str(line["event"])]) <= 2
    assert [line for line in lines if "opentelemetry" in str(line["logger"])] == []


@pytest.mark.parametrize("status", [401, 308], ids=["refused", "redirected"])
def test_it_says_once_that_spans_are_lost_and_once_that_they_are_not(
    start: Start, spans: Collector, status: int
) -> None:
    spans.status = status
    process, url = start(**spans.settings)

    def ask() -> None:
        """And wait until both of its spans have come: they may do so apart."""
        before = spans.came
        requests.post(f"{url}/verify-otp", json=PHONE | {"otp": "123456"})
        until(lambda: spans.came == before + 2)

    for _ in range(3):
        ask()
    spans.status = 200
    ask()
    told = [line for line in ended(process) if "spans" in str(line["event"])]
    assert [line["event"] for line in told] == [
        f"spans are lost: HTTP {status}",
        "spans are exported again",
    ]
    assert told[1]["lost"] == 6


def test_where_it_is_not_installed_it_does_not_start_and_says_what_to_install(
    tmp_path: Path,
) -> None:
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry" / "__init__.py").write_text("")
    database = f"sqlite:///{tmp_path / 'otp.db'}"
    done = wsgi(**ON, PYTHONPATH=str(tmp_path), DATABASE_URL=database, OTP_SECRET=SECRET)
    assert done.returncode == 2
    install = "pip install -r requirements-otel.txt"
    assert f"OTEL_TRACES_EXPORTER=otlp: it is not installed; {install}" in done.stderr
