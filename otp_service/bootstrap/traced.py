"""The parts that make spans, where spans are asked for; else the plain ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa

from otp_service.delivery.provider import Provider
from otp_service.delivery.sender import HttpSender
from otp_service.delivery.traced_sender import TracedSender, TracedSession
from otp_service.delivery.worker import Worker
from otp_service.domain.follow_up import FollowUp
from otp_service.domain.messages import Outgoing, Sender
from otp_service.settings import Settings
from otp_service.storage.db.database import Database
from otp_service.storage.traced_database import TracedDatabase
from otp_service.version import VERSION

if TYPE_CHECKING:
    from otp_service.observability.tracing import Tracing


def make_tracing(settings: Settings) -> Tracing | None:
    """What makes spans, where they are asked for: OpenTelemetry is large."""
    if settings.tracing is None:
        return None
    from otp_service.observability.tracing import Tracing  # noqa: PLC0415

    return Tracing(settings.tracing, VERSION)


def make_databases(engines: Sequence[sa.Engine], tracing: Tracing | None) -> list[Database]:
    if tracing is None:
        return [Database(engine) for engine in engines]
    homes = zip(engines, ("primary", "fallback"), strict=False)
    return [TracedDatabase(engine, tracing, home) for engine, home in homes]


def make_sender(provider: Provider, tracing: Tracing | None) -> Sender:
    if tracing is None:
        return HttpSender(provider)
    over_http = HttpSender(provider, new_session=partial(TracedSession, tracing))
    return TracedSender(over_http, tracing)


def make_worker(
    follow_up: FollowUp, clean_up: Callable[[], object], tracing: Tracing | None
) -> Worker:
    return Worker(follow_up, clean_up, around=tracing.handled if tracing else nullcontext)


def make_wake(worker: Worker, tracing: Tracing | None) -> Callable[[Outgoing], None]:
    """What is told of a message that a request leaves to a worker."""

    def wake(message: Outgoing) -> None:
        if tracing:
            tracing.queued(message)
        worker.wake()

    return wake
