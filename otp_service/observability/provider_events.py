"""Events of templates, numbers and the account: kept, told in the log, counted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from otp_service.domain.provider_events import Kind, Level, ProviderEvent
from otp_service.observability.metrics import Metrics

log = logging.getLogger(__name__)
_WHOSE = {True: "", False: ", which is not used here", None: ", which may be in use here"}


@dataclass(frozen=True)
class ProviderNews:
    """``keep`` stores them, and may raise what `Store` raises: then nothing is said, since the
    provider tells them again. ``is_ours`` says whether one is about what is used here, None if it
    can't be told.
    """

    is_ours: Callable[[ProviderEvent], bool | None]
    metrics: Metrics
    keep: Callable[[Sequence[ProviderEvent]], None]

    def __call__(self, events: Sequence[ProviderEvent]) -> None:
        known = [event for event in events if event.kind is not Kind.OTHER]
        if known:
            self.keep(known)
        for event in events:
            ours = self.is_ours(event)
            self.metrics.provider_event(event, ours)
            if event.kind is not Kind.OTHER:
                _tell(event, ours)


def _tell(event: ProviderEvent, ours: bool | None) -> None:
    level = logging.INFO if event.level is Level.FINE else logging.WARNING
    facts = {"provider": event.provider, "topic": event.topic, "state": event.state}
    if event.detail:
        facts["reason"] = event.detail
    text = "%s tells of the %s%s: %s"
    log.log(level, text, event.provider, event.subject, _WHOSE[ours], event.state, extra=facts)
