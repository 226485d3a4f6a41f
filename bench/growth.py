"""Whether calls slow down as old verifications pile up in Postgres: ``python -m bench.growth``."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from bench import calls, command, filling, postgres, report, timing
from bench.plans import Explainer
from bench.progress import say
from bench.timing import Subject
from otp_service import create_app
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person
from otp_service.storage import schema
from otp_service.storage.db.database import Database
from otp_service.storage.outbox import Messages


def main() -> int:
    options = _options()
    return command.exit_code(lambda: _grown(options))


def _grown(options: argparse.Namespace) -> list[str]:
    with ExitStack() as stack:
        url = options.database or stack.enter_context(postgres.own_server(options.rows[-1]))
        few = stack.enter_context(postgres.database(url, "otp_bench_few"))
        many = stack.enter_context(postgres.database(url, "otp_bench_many"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        return run(few, many, options.rows, options.calls, folder)


def run(few: sa.Engine, many: sa.Engine, sizes: list[int], count: int, folder: Path) -> list[str]:
    """Compare each size with the first, explain at the last; tell what is not as it should be."""
    schema.upgrade(few)
    schema.upgrade(many)
    app = app_on(many, folder)
    first = _filled(few, app_on(few, folder), range(sizes[0]))
    for done, size in pairwise([0, *sizes[1:]]):
        subject = _filled(many, app, range(done, size))
        latencies = timing.measure([first, subject], count)
        slow = report.compare(first, subject, *latencies)  # the last one counts
    explainer = Explainer(many)
    calls.explain_requests(explainer, subject.service, subject.people)
    messages = Messages(Database(many))
    calls.explain_worker(explainer, subject.service, messages, next(subject.people))
    impatient = app_on(many, folder, OTP_RETENTION_DAYS="1")
    calls.explain_commands(explainer, app, impatient, next(subject.people).phone)
    return slow + report.judge(explainer.plans.values())


def _filled(engine: sa.Engine, app: Flask, rows: range) -> Subject:
    say(f"{rows.stop:,} old verifications")
    filling.fill(engine, rows)
    service: OtpService = app.extensions["otp_service"].service
    return Subject(rows.stop, service, engine, _people(rows))


def _people(rows: range) -> Iterator[Person]:
    return (Person("public", phone, "login") for phone in filling.phones(rows))


def app_on(engine: sa.Engine, folder: Path, **settings: str) -> Flask:
    """In the sandbox, whose sender takes no time and tells the code."""
    environ = {
        "DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "OTP_SECRET": bytes(range(0x5E, 0x7E)).hex(),
        "FALLBACK_DATABASE_URL": "off",
    }
    logging.getLogger("otp_service").setLevel(logging.ERROR)  # failing deliveries are meant here
    return create_app(environ | settings, instance=folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.growth",
        description="Measure send and verify with ever more old verifications in Postgres, and "
        "check that they get no slower and that each statement uses indexes. With the defaults "
        "this takes about a quarter of an hour, and 15 GB of disk while it runs.",
        epilog="example: python -m bench.growth --rows 10000 1000000",
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 1_000_000, 10_000_000])
    parser.add_argument("--calls", type=int, default=2000, help="of each kind, at each size")
    parser.add_argument(
        "--database", metavar="URL", help="a Postgres to make two databases in, and drop them"
    )
    options = parser.parse_args()
    fewest = min(now - then for then, now in pairwise([0, *options.rows]))
    if len(options.rows) < 2 or options.calls < 2 * timing.ROUNDS:
        parser.error("two numbers of --rows are needed, and 10 --calls")
    if 2 * fewest < 3 * options.calls * len(options.rows):
        parser.error("each of --rows must be well above the one before, and well above --calls")
    return options


if __name__ == "__main__":
    sys.exit(main())
