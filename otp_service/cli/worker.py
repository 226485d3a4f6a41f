"""`otp worker`: what each server process does beside requests, in a process of its own."""

from __future__ import annotations

import logging
import signal

import click
from flask import current_app
from flask.cli import with_appcontext

from otp_service.cli import scrapes
from otp_service.domain.errors import StorageUnavailable
from otp_service.observability import log_setup
from otp_service.settings import settings_of
from otp_service.storage import admission, schema
from otp_service.storage.models.base import engines_of
from otp_service.web.dependencies import dependencies_of

log = logging.getLogger(__name__)


class _Unfit(click.ClickException):
    exit_code = 2


@click.command()
@click.option(
    "--metrics-port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Answer Prometheus's GET /metrics on this port of HOST, as a server does.",
)
@with_appcontext
def worker(metrics_port: int | None) -> None:
    """Send what waits, settle receipts, tell of events and clean up.

    Runs until SIGTERM or Ctrl-C. Each server process does the same by itself, unless
    OTP_WORKER=off: then one or more of these are needed, or no message is sent with Prefer:
    respond-async, none is tried again or followed by an SMS, no receipt is settled, and no event is
    told. Any number may run. What is in hand is finished before it ends, with exit code 0. On a
    database that does not give what the service needs it ends at once, with 2.

    Example: ./otp worker --metrics-port 9464
    """
    if any(map(schema.is_behind, engines_of(current_app))):
        raise StorageUnavailable("tables of this release are missing")
    settings = settings_of(current_app)
    log_setup.configure(settings.log_level, settings.log_format, settings.redacted)
    dependencies = dependencies_of(current_app)
    try:
        if not admission.ask(engines_of(current_app)[0]):
            dependencies.ask_database()
    except admission.Unfit as unfit:
        raise _Unfit(str(unfit)) from None
    if metrics_port:
        scrapes.answer(current_app.wsgi_app, settings.host, metrics_port)
        dependencies.watch()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: dependencies.stop())
    log.info("the worker runs")
    with dependencies.exporting_spans():
        dependencies.telling.start()
        dependencies.worker.run()  # and not `start`, which is for what serves
        dependencies.telling.join()
    log.info("the worker has ended")
