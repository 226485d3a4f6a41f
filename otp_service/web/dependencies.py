"""What `create_app` puts together for the views, the server and the commands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

from flask import Flask

from otp_service.domain.messages import Receipt
from otp_service.domain.ports import StoreState
from otp_service.domain.provider_events import ProviderEvent
from otp_service.domain.relaying import Relaying
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Verification
from otp_service.observability.gauges import SenderState, WorkerState
from otp_service.observability.metrics import Metrics
from otp_service.web.auth import Clients

if TYPE_CHECKING:
    from otp_service.observability.tracing import Tracing

Description = dict[str, Any]


class Proofs(Protocol):
    """Signed proofs of a success."""

    def signer(self) -> Callable[[Verification], str]:
        """What makes a proof, and does not fail. Raises `StorageUnavailable` if nothing can."""

    def published(self) -> list[dict[str, str]]:
        """The public keys, as a JWK set has them. May raise `StorageUnavailable`."""


class Worker(WorkerState, Protocol):
    def run(self) -> None:
        """Work in this thread until `stop`."""

    def stop(self, *_: object) -> None:
        """Take nothing new. Safe in a signal handler."""

    def join(self) -> None:
        """Return when what was in hand is finished."""


class Telling(Protocol):
    """What tells callers of events, in threads of its own."""

    def start(self) -> None: ...

    def join(self) -> None:
        """Return when what was in hand is recorded, a few seconds after the stop at most."""


@dataclass(frozen=True)
class Dependencies:
    """``proofs`` are None where none are made; ``senders`` are those of real messages.

    ``store_state`` tells how the homes are, as of a second ago. ``start`` begins what runs beside
    requests, in each process that serves; before it ``ask_database`` asks what the database gives,
    where that could not be done earlier. ``watch`` begins that part of it alone which scrapes need.
    ``stop`` ends either, and is safe in a signal handler. ``stopping`` is set when the server is
    about to end.
    """

    service: OtpService
    relaying: Relaying
    store_state: Callable[[], StoreState]
    clients: Clients
    proofs: Proofs | None
    senders: Sequence[SenderState]
    worker: Worker
    telling: Telling
    metrics: Metrics
    keep_receipts: Callable[[Sequence[Receipt]], None]
    keep_events: Callable[[Sequence[ProviderEvent]], None]
    sender_configuration: Callable[[], Description]
    sample_request: Callable[[], Description]
    ask_database: Callable[[], None]
    start: Callable[[], None]
    watch: Callable[[], None]
    stop: Callable[[], None]
    tracing: Tracing | None = None
    stopping: threading.Event = field(default_factory=threading.Event)

    def exporting_spans(self) -> AbstractContextManager[object]:
        """Around all that a process serves or works, where there are any spans."""
        return self.tracing.exporting() if self.tracing else nullcontext()


def dependencies_of(app: Flask) -> Dependencies:
    return cast(Dependencies, app.extensions["otp_service"])
