"""TLS that can't work is a refusal; a connection that ends in the middle of it is an outage."""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import MakeApp
from tests.faults import gates
from tests.faults.cluster import Cluster
from tests.faults.gates import Authority, Handle
from tests.faults.loopback import LOOPBACK
from tests.faults.service import Caller, caller_at

SYSTEM = "sslmode=verify-full&sslrootcert=system"


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return Authority.make(tmp_path, "ours")


@pytest.fixture
def with_ours(ours: Authority, cluster: Cluster) -> Handle:
    """A way to Postgres that shows a certificate of ours."""
    return gates.with_tls(ours.server(LOOPBACK), cluster.port)


@contextmanager
def calling(
    make_app: MakeApp, urls: dict[str, str], handle: Handle, options: str
) -> Iterator[Caller]:
    """The service whose Postgres is behind this gate."""
    make_app(**urls)  # for the schemas
    with gates.gate(handle) as port:
        url = f"postgresql://postgres:hunter2@{LOOPBACK}:{port}/postgres?{options}"
        yield caller_at(url, **urls)


def assert_refused(caller: Caller, caplog: pytest.LogCaptureFixture, said: str) -> None:
    """In the answers, the log and `otp check`; and nothing goes to the fallback."""
    with caplog.at_level(logging.INFO):
        for answer in (caller.send(), caller.resend(), caller.verify("123456")):
            assert (answer.status, answer.code) == (503, "storage_unavailable")
    assert any(said in str(vars(record)) for record in caplog.records)
    told = caller.app.test_cli_runner().invoke(args=["otp", "check"])
    assert told.exit_code == 1
    assert said in told.output
    assert "postgresql refuses" in told.output
    assert "hunter2" not in told.output + caplog.text
    assert caller.ready().data["fallback"] == "standby"


def test_a_certificate_that_passes_its_check_is_a_way_to_postgres(
    make_app: MakeApp, urls: dict[str, str], ours: Authority, with_ours: Handle
) -> None:
    options = f"sslmode=verify-full&sslrootcert={ours.file}"
    with calling(make_app, urls, with_ours, options) as caller:
        sent = caller.send()
        assert sent.id[0] == "p"
        assert caller.verify(sent.otp).code == "ok"


def test_with_system_the_authorities_are_those_that_the_machine_has(
    make_app: MakeApp,
    urls: dict[str, str],
    ours: Authority,
    with_ours: Handle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """libpq alone would look where psycopg2's wheel was built, and find none."""
    the_machines = ssl.get_default_verify_paths()._replace(cafile=str(ours.file), capath="")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: the_machines)
    monkeypatch.setenv("SSL_CERT_FILE", "")  # so that it is taken back afterwards
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    with calling(make_app, urls, with_ours, SYSTEM) as caller:
        assert caller.send().id[0] == "p"


def test_an_authority_that_the_environment_names_is_the_only_one(
    make_app: MakeApp,
    urls: dict[str, str],
    ours: Authority,
    with_ours: Handle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ours.file))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    with calling(make_app, urls, with_ours, SYSTEM) as caller:
        assert caller.send().id[0] == "p"
    assert "SSL_CERT_DIR" not in os.environ


def test_a_certificate_of_another_authority_is_refused(
    make_app: MakeApp,
    urls: dict[str, str],
    cluster: Cluster,
    ours: Authority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    theirs = Authority.make(ours.file.parent, "theirs")
    handle = gates.with_tls(theirs.server(LOOPBACK), cluster.port)
    options = f"sslmode=verify-ca&sslrootcert={ours.file}"
    with calling(make_app, urls, handle, options) as caller:
        assert_refused(caller, caplog, "certificate verify failed")


def test_a_certificate_for_another_host_is_refused(
    make_app: MakeApp,
    urls: dict[str, str],
    cluster: Cluster,
    ours: Authority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    handle = gates.with_tls(ours.server("db.example.com"), cluster.port)
    options = f"sslmode=verify-full&sslrootcert={ours.file}"
    with calling(make_app, urls, handle, options) as caller:
        assert_refused(caller, caplog, "does not match host name")


def test_a_server_without_tls_where_it_is_required_is_refused(
    make_app: MakeApp,
    urls: dict[str, str],
    cluster: Cluster,
    caplog: pytest.LogCaptureFixture,
) -> None:
    make_app(**urls)
    url = f"{cluster.url}?sslmode=require"
    caller = caller_at(url, **urls)
    assert_refused(caller, caplog, "does not support SSL")


def test_a_server_that_wants_another_certificate_or_version_is_refused(
    make_app: MakeApp,
    urls: dict[str, str],
    cluster: Cluster,
    ours: Authority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    asks_for_one = ours.server(LOOPBACK)
    asks_for_one.verify_mode = ssl.CERT_REQUIRED
    asks_for_one.load_verify_locations(ours.file)
    handle = gates.with_tls(asks_for_one, cluster.port)
    with calling(make_app, urls, handle, "sslmode=require") as caller:
        assert_refused(caller, caplog, "alert certificate required")
    newest = ours.server(LOOPBACK)
    newest.minimum_version = ssl.TLSVersion.TLSv1_3
    caplog.clear()
    options = "sslmode=require&ssl_max_protocol_version=TLSv1.2"
    with calling(make_app, urls, gates.with_tls(newest, cluster.port), options) as caller:
        assert_refused(caller, caplog, "alert protocol version")


@pytest.mark.parametrize("how", ["ending", "resetting", "silent"])
def test_an_end_in_the_middle_of_the_handshake_is_an_outage(
    make_app: MakeApp, urls: dict[str, str], cluster: Cluster, how: str
) -> None:
    handle = gates.agreeing_to_tls(getattr(gates, how))
    with calling(make_app, urls, handle, "sslmode=require") as caller:
        sent = caller.send()
        assert sent.id[0] == "s"
        assert caller.verify(sent.otp).code == "ok"
        assert caller.ready().data["fallback"] == "active"


def test_where_clear_text_is_allowed_the_second_try_decides(
    make_app: MakeApp, urls: dict[str, str]
) -> None:
    """libpq's `prefer`: with TLS, and if that fails without."""
    make_app(**urls)
    with gates.gate(gates.refusing("28P01", "password authentication failed")) as port:
        url = f"postgresql://postgres@{LOOPBACK}:{port}/postgres?sslmode=prefer"
        caller = caller_at(url, **urls)
        assert caller.send().code == "storage_unavailable"
