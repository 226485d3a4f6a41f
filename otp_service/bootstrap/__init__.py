"""Puts the parts together: which store, which senders, which worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa

from otp_service.bootstrap.senders import (
    configuration,
    make_dispatch,
    make_senders,
    sample_request,
)
from otp_service.bootstrap.traced import make_databases, make_tracing, make_wake, make_worker
from otp_service.delivery.providers.sandbox import SandboxSender
from otp_service.delivery.worker import Worker
from otp_service.domain.dispatch import Dispatch
from otp_service.domain.follow_up import FollowUp
from otp_service.domain.messages import Outgoing, Receipt
from otp_service.domain.ports import Store
from otp_service.domain.relaying import Relaying
from otp_service.domain.sending import Sending
from otp_service.domain.service import OtpService
from otp_service.events.telling import Telling
from otp_service.observability.gauges import Gauges, SenderState
from otp_service.observability.metrics import Metrics
from otp_service.observability.oldest_due import Ages, OldestDue
from otp_service.observability.provider_events import ProviderNews
from otp_service.observability.timed_cache import TimedCache
from otp_service.settings import Settings
from otp_service.storage import admission, retention
from otp_service.storage.api_keys import KeyRing
from otp_service.storage.cached_rows import KeepFresh
from otp_service.storage.db.database import Database
from otp_service.storage.events import Events
from otp_service.storage.homes import Homes
from otp_service.storage.outbox import Messages
from otp_service.storage.provider_events import ProviderEvents
from otp_service.storage.verifications import Operations, SqlStore
from otp_service.turns import Turns
from otp_service.version import VERSION
from otp_service.web.auth import Clients
from otp_service.web.dependencies import Dependencies

if TYPE_CHECKING:
    from otp_service.proofs.tokens import Proofs
    from otp_service.storage.signing_keys import SigningKeys

SENDS_THAT_COMPUTE = 2  # at a time; the others wait, for a provider, a database or their turn


def dependencies(settings: Settings, engines: Sequence[sa.Engine]) -> Dependencies:
    """Nothing runs before `Dependencies.start`."""
    tracing = make_tracing(settings)
    databases = make_databases(engines, tracing)
    store, messages, metrics = _store(settings, *databases), Messages(*databases), Metrics()
    senders = make_senders(settings, metrics, tracing)
    dispatch = make_dispatch(settings, messages, senders)
    follow_up = FollowUp(dispatch, messages, messages, dispatch.policy, metrics.message_priced)
    worker = make_worker(follow_up, partial(_clean_up, databases, settings), tracing)
    api_keys = KeyRing(*databases) if settings.api_keys_required else None
    proofs, signing_keys = _proofs(settings, databases)
    events = Events(settings.secrets, *databases)
    telling = Telling(events, metrics.event_told)
    fresh = KeepFresh([each.cache for each in (api_keys, signing_keys, events) if each])
    loops: list[Worker | Telling] = [worker, telling] if settings.worker else []
    shown: list[SenderState] = [*senders] or [SandboxSender()]
    gauges = _gauges(settings, databases, shown, worker, messages.oldest_due, events.backlog)
    metrics.registry.register(gauges)
    service, relaying = _services(settings, store, dispatch, make_wake(worker, tracing), metrics)
    return Dependencies(
        service=service,
        relaying=relaying,
        store_state=TimedCache(store.state, lambda: [d.is_down for d in databases]).now,
        clients=Clients(api_keys),
        proofs=proofs,
        senders=shown,
        worker=worker,
        telling=telling,
        metrics=metrics,
        keep_receipts=partial(_keep_receipts, messages, worker, metrics),
        keep_events=ProviderNews(settings.is_ours, metrics, ProviderEvents(*databases).keep),
        sender_configuration=partial(configuration, settings),
        sample_request=partial(sample_request, settings),
        ask_database=partial(admission.ask_when_there, databases[0]),
        start=partial(_start, store, fresh, gauges, *loops),
        watch=gauges.start,
        stop=partial(_stop, fresh, gauges, worker, telling),
        tracing=tracing,
    )


def _start(store: SqlStore | Homes, *parts: KeepFresh | Gauges | Worker | Telling) -> None:
    store.drain()
    for each in parts:
        each.start()


def _stop(*parts: KeepFresh | Gauges | Worker | Telling) -> None:
    for each in parts:
        each.stop()


def _keep_receipts(
    messages: Messages, worker: Worker, metrics: Metrics, receipts: Sequence[Receipt]
) -> None:
    messages.keep(receipts)
    worker.wake()
    for receipt in receipts:
        metrics.receipt(receipt)


def _gauges(
    settings: Settings,
    databases: Sequence[Database],
    senders: Sequence[SenderState],
    worker: Worker,
    *ages: Callable[[Database], Ages],
) -> Gauges:
    asked = [[OldestDue(each, partial(of, each)) for each in databases] for of in ages]
    return Gauges(VERSION, databases, senders, worker if settings.worker else None, *asked)


def _proofs(
    settings: Settings, databases: Sequence[Database]
) -> tuple[Proofs, SigningKeys] | tuple[None, None]:
    """What makes them, and its keys, where they are made: cryptography is large."""
    if settings.proof.subject == "off":
        return None, None
    from otp_service.proofs.tokens import Proofs  # noqa: PLC0415
    from otp_service.storage.signing_keys import SigningKeys  # noqa: PLC0415

    keys = SigningKeys(settings.secrets, *databases)
    return Proofs(settings.proof, settings.secrets[-1], keys.now), keys


def _store(
    settings: Settings, database: Database, fallback: Database | None = None
) -> SqlStore | Homes:
    secrets, limits = len(settings.secrets), settings.limits
    primary = SqlStore(database, Operations.under(limits, secrets))
    if fallback is None:
        return primary
    shared = limits.shared_by(settings.instance_count)
    local = SqlStore(fallback, Operations.under(shared, secrets))
    return Homes(primary, local, worker_here=settings.worker)


def _services(
    settings: Settings,
    store: Store,
    dispatch: Dispatch,
    wake: Callable[[Outgoing], None],
    metrics: Metrics,
) -> tuple[OtpService, Relaying]:
    outbox, codes, policy = dispatch.outbox, dispatch.codes, dispatch.policy
    sending = Sending(dispatch, outbox, codes, policy, wake, metrics.pumping_suspected)
    # Providers' answers come in waves. The sandbox answers at once.
    connections = max(1, settings.threads // 2)
    turns = Turns(SENDS_THAT_COMPUTE, connections, away=True)
    in_turn = turns.one if settings.used else nullcontext
    parts = (store, sending, codes, policy, in_turn)
    return OtpService(*parts), Relaying(*parts)


def _clean_up(databases: Sequence[Database], settings: Settings) -> None:
    for database in databases:
        retention.cleanup(database.engine, settings.retention_days)
