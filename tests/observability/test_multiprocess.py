"""Several processes count into one folder."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from prometheus_client import values

from otp_service.environment import SettingsError
from otp_service.observability.multiprocess import FOLDER, shared_counts
from tests.conftest import SECRET, MakeApp
from tests.faults.processes import Server, Servers, children
from tests.faults.waiting import until
from tests.scrape import Scrape

REQUESTS = "otp_http_requests_total"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with Servers(OTP_SECRET=SECRET, TMPDIR=str(temporary)) as servers:
        yield servers


def scrape(server: Server) -> Scrape:
    return Scrape.of(requests.get(f"{server.url}/metrics", timeout=30).text)


def check_health(server: Server) -> None:
    assert requests.get(f"{server.url}/health", timeout=30).ok


def counted(server: Server) -> float | None:
    return scrape(server).value(REQUESTS, route="/health", code="ok")


def test_several_processes_answer_one_sum_and_one_that_is_replaced_takes_nothing_with_it(
    servers: Servers, tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path / 'otp.db'}"
    server = servers.start(DATABASE_URL=database, WEB_CONCURRENCY="2")
    (folder,) = (tmp_path / "tmp").glob("otp-metrics-*")

    def both_have_counted() -> bool:
        check_health(server)
        return sum(b"/health" in file.read_bytes() for file in folder.glob("counter_*")) == 2

    until(both_have_counted)
    before = counted(server) or 0
    for _ in range(20):
        check_health(server)
    assert {counted(server) for _ in range(10)} == {before + 20}
    parent = server._process.pid
    killed = children(parent)
    for child in killed:
        os.kill(child, signal.SIGKILL)
    until(lambda: not children(parent) & killed)
    until(server.is_up)
    assert (counted(server) or 0) > before + 20
    assert len(list(folder.iterdir())) == 4  # a counters' and a histograms' for each of the two
    server.stop()
    assert not folder.exists()


def test_services_share_the_folder_that_they_are_given(servers: Servers, tmp_path: Path) -> None:
    """As a worker that runs apart shares it with the servers."""
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path / 'otp.db'}", FOLDER: str(tmp_path / "own")}
    one, other = servers.start_several(2, **settings)
    before = counted(one) or 0
    for server in (one, other, other):
        check_health(server)
    assert counted(one) == counted(other) == before + 3
    other.stop()
    assert counted(one) == before + 3


def test_a_service_without_room_for_shared_counts_runs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    before = values.ValueClass
    with shared_counts(2) as join:
        join(0)
    assert values.ValueClass is before
    assert "each process has metrics of its own" in caplog.text


def test_only_the_process_that_made_the_folder_removes_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    counts = shared_counts(2)
    counts.__enter__()
    if (child := os.fork()) == 0:  # it fails, and so leaves the block
        counts.__exit__(None, None, None)
        os._exit(0)
    os.waitpid(child, 0)
    (folder,) = tmp_path.iterdir()
    assert len(list(folder.iterdir())) == 4
    counts.__exit__(None, None, None)
    assert not folder.exists()


def test_a_folder_that_cant_be_had_is_a_problem_of_the_configuration(
    monkeypatch: pytest.MonkeyPatch, make_app: MakeApp, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv(FOLDER, str(file))
    with pytest.raises(SettingsError, match=FOLDER):
        make_app()
