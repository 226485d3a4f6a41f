"""What is counted, for Prometheus.

Labels come from fixed sets: rules and codes of our own, never a caller's text, a phone or a key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from otp_service.domain.limits import COUNTED
from otp_service.domain.messages import Receipt
from otp_service.domain.provider_events import ProviderEvent
from otp_service.domain.verification import Price
from otp_service.observability.multiprocess import shared_folder
from otp_service.wording import REFUSALS

LIMITS = {*COUNTED, "verification_attempts", "client_requests"}
CATEGORIES = {
    "authentication",
    "authentication_international",
    "marketing",
    "marketing_lite",
    "referral_conversion",
    "service",
    "utility",
}
"""Of messages, as Meta prices them."""

_ANSWER = {None: "unknown", True: "yes", False: "no"}
_REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)
_CALL_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8)  # a provider has 8 seconds

# They would add a line to each number, and where processes count together there are none.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The counters of one application. ``registry`` is what a scrape sees: these, added up over
    the processes that share a folder, and whatever gauges are registered with it.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counted_here: CollectorRegistry | None = self.registry
        if folder := shared_folder():
            MultiProcessCollector(self.registry, folder)  # type: ignore[no-untyped-call]
            counted_here = None
        counter = partial(Counter, registry=counted_here)
        histogram = partial(Histogram, registry=counted_here)
        self._requests = counter(
            "otp_http_requests_total", "Requests answered.", ["method", "route", "status", "code"]
        )
        self._request_seconds = histogram(
            "otp_http_request_duration_seconds",
            "How long answers took.",
            ["route"],
            buckets=_REQUEST_BUCKETS,
        )
        self._provider_calls = counter(
            "otp_provider_calls_total",
            "Messages for providers.",
            ["provider", "channel", "outcome"],
        )
        self._provider_seconds = histogram(
            "otp_provider_call_duration_seconds",
            "How long providers took.",
            ["provider", "channel"],
            buckets=_CALL_BUCKETS,
        )
        self._count_callbacks(counter)
        self._refusals = counter(
            "otp_limit_refusals_total", "Requests that a limit refused.", ["limit"]
        )
        self._pumping = counter(
            "otp_pumping_suspected_total", "Messages like pumping.", ["rule", "country"]
        )

    def _count_callbacks(self, counter: Callable[..., Counter]) -> None:
        """By providers, later; and what callers are told."""
        self._receipts = counter(
            "otp_receipts_total",
            "What providers told of messages.",
            ["provider", "status", "failure"],
        )
        self._prices = counter(
            "otp_messages_priced_total",
            "Messages whose price was told.",
            ["provider", "category", "billable"],
        )
        self._events = counter(
            "otp_provider_events_total",
            "What providers told of templates, numbers and accounts.",
            ["provider", "kind", "state", "level", "ours"],
        )
        self._events_told = counter(
            "otp_events_total", "Tries to tell callers of events.", ["outcome"]
        )

    def request(self, method: str, route: str, status: int, code: str, seconds: float) -> None:
        """One was answered; ``code`` is the refusal's, or ok."""
        count, duration = self._of_requests(method, route, str(status), code)
        count.inc()
        duration.observe(seconds)

    @cache  # noqa: B019 (one of these lives as long as the process, and labels are few)
    def _of_requests(self, *labels: str) -> tuple[Counter, Histogram]:
        return self._requests.labels(*labels), self._request_seconds.labels(labels[1])

    def limit_refusal(self, details: Mapping[str, object]) -> None:
        """A limit refused a request; ``details`` are the refusal's."""
        limit = details.get("limit", details.get("reason"))
        self._refusals.labels(limit if limit in LIMITS | REFUSALS.keys() else "other").inc()

    def provider_call(
        self, provider: str, channel: str, outcome: str, seconds: float | None
    ) -> None:
        """A message was or was not handed over; ``seconds`` are None if no call was made."""
        self._provider_calls.labels(provider, channel, outcome).inc()
        if seconds is not None:
            self._provider_seconds.labels(provider, channel).observe(seconds)

    def receipt(self, receipt: Receipt) -> None:
        failure = receipt.failure.code if receipt.failure else ""
        self._receipts.labels(receipt.provider, receipt.status.value, failure).inc()

    def provider_event(self, event: ProviderEvent, ours: bool | None) -> None:
        """``ours``: whether it is about what this service uses, None if it can't be told."""
        kind, level = event.kind.value, event.level.value
        self._events.labels(event.provider, kind, event.state, level, _ANSWER[ours]).inc()

    def event_told(self, outcome: str) -> None:
        """A caller was, or was not, told of an event: see `events.poster.Outcome`."""
        self._events_told.labels(outcome).inc()

    def message_priced(self, provider: str, price: Price) -> None:
        """The first that was told of a message's price."""
        category = price.category if price.category in CATEGORIES else "other"
        self._prices.labels(provider, category, _ANSWER[price.billable]).inc()

    def pumping_suspected(self, rule: str, country: str) -> None:
        """A message looks like pumping; ``country`` is ISO 3166, empty if it has none."""
        self._pumping.labels(rule, country).inc()

    def text(self) -> bytes:
        """Prometheus' text format, 0.0.4."""
        return generate_latest(self.registry)
