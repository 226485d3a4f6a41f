"""Events of templates, numbers and the account: kept, told in the log, counted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from otp_service.domain.provider_events import Kind, Level, ProviderEvent
from otp_service.observability.metrics import Metrics
from otp_service.settings import Settings

log = logging.getLogger(__name__)
_WHOSE = {True: "", False: ", which is not used here", None: ", which may be in use here"}


@dataclass(frozen=True)
class ProviderNews:
    """``keep`` stores them, and may raise what `Store` raises: then nothing is said, since the
    provider tells them again.
    """

    settings: Settings
    metrics: Metrics
    keep: Callable[[Sequence[ProviderEvent]], None]

    def __call__(self, events: Sequence[ProviderEvent]) -> None:
        known = [event for event in events if event.kind is not Kind.OTHER]
        if known:
            self.keep(known)
        for event in events:
            ours = is_ours(event, self.settings)
            self.metrics.provider_event(event, ours)
            if event.kind is not Kind.OTHER:
                _tell(event, ours)


def is_ours(event: ProviderEvent, settings: Settings) -> bool | None:
    """Whether it is about what the settings use; None if it can't be told."""
    return settings.provider(event.provider).is_ours(event)


def _tell(event: ProviderEvent, ours: bool | None) -> None:
    level = logging.INFO if event.level is Level.FINE else logging.WARNING
    facts = {"provider": event.provider, "topic": event.topic, "state": event.state}
    if event.detail:
        facts["reason"] = event.detail
    text = "%s tells of the %s%s: %s"
    log.log(level, text, event.provider, event.subject, _WHOSE[ours], event.state, extra=facts)
