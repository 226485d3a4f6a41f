"""What holds at the moment of a scrape, which waits for nothing."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
import sqlalchemy as sa
from flask import Flask

from otp_service.storage.models.base import engines_of
from otp_service.web.dependencies import dependencies_of
from tests.conftest import MakeApp
from tests.faults.waiting import until
from tests.scrape import Scrape


def test_the_gauges_tell_of_the_worker_and_of_connections(make_app: MakeApp) -> None:
    app = make_app()
    dependencies = dependencies_of(app)
    assert Scrape.of(app).value("otp_worker_up") == 0
    dependencies.worker.start()  # type: ignore[attr-defined]
    until(lambda: Scrape.of(app).value("otp_worker_up") == 1)
    dependencies.worker.stop()
    dependencies.worker.join()
    assert Scrape.of(app).value("otp_worker_up") == 0
    in_use = "otp_database_connections_in_use"
    assert Scrape.of(app).value(in_use, database="primary") == 0
    with engines_of(app)[0].connect():
        assert Scrape.of(app).value(in_use, database="primary") == 1
    assert Scrape.of(app).value("otp_database_connections_max", database="primary") == 1


def test_a_scrape_asks_no_database(app: Flask) -> None:
    asked: list[object] = []
    sa.event.listen(engines_of(app)[0], "checkout", lambda *facts: asked.append(facts))
    assert app.test_client().get("/metrics").status_code == 200
    assert asked == []
    app.test_client().get("/ready")
    assert asked


def test_what_a_service_does_not_have_it_does_not_tell(make_app: MakeApp) -> None:
    found = Scrape.of(make_app(OTP_WORKER="off"))
    assert found.value("otp_worker_up") is None
    assert found.value("otp_fallback_active") is None
    assert found.value("otp_database_up") == 1


def test_the_connections_that_there_may_be_are_as_many_as_can_be_in_use(
    make_app: MakeApp, postgres_url: str
) -> None:
    app = make_app(DATABASE_URL=postgres_url, FALLBACK_DATABASE_URL="off", WAITRESS_THREADS="2")
    (engine,) = engines_of(app)
    most = Scrape.of(app).value("otp_database_connections_max", database="primary")
    assert most == 4  # two for requests, and two beside them
    with ExitStack() as stack:
        for _ in range(int(most)):
            stack.enter_context(engine.connect())
        with pytest.raises(sa.exc.TimeoutError):
            engine.connect()
        assert Scrape.of(app).value("otp_database_connections_in_use", database="primary") == most
