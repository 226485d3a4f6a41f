"""How spans leave: in a thread of their own, from a queue that is bounded, and told of when not."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

_BATCH = 512  # spans, the SDK's
FLUSH_SECONDS = 2.0  # for what is left when the process ends
_TELL_EACH_TRY = ("opentelemetry.exporter", "opentelemetry.sdk._shared_internal")
log = logging.getLogger(__name__)


class _Session(requests.Session):
    """Remembers what became of its last request, in words that hold no URL."""

    outcome = ""

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        try:
            answer = super().request(*args, **kwargs)
        except Exception as error:
            self.outcome = type(error).__name__
            raise
        self.outcome = f"HTTP {answer.status_code}"
        return answer


class _Exporter(OTLPSpanExporter):
    """OTLP over HTTP, with a line in the log when it begins to fail and one when it is back."""

    def __init__(self) -> None:
        self._asked = _Session()
        super().__init__(session=self._asked)
        self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        # Redirects are followed by nobody, and the SDK is content with them.
        redirected = self._asked.outcome.startswith("HTTP 3")
        if result is SpanExportResult.FAILURE or redirected:
            if not self._lost:
                log.warning("spans are lost: %s", self._asked.outcome)
            self._lost += len(spans)
        elif self._lost:
            log.info("spans are exported again", extra={"lost": self._lost})
            self._lost = 0
        return result


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """For who reads the process's environment and should find these, of `.env`, there too."""
    added = variables.keys() - os.environ.keys()  # the others are the same there
    os.environ.update({name: variables[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


@contextmanager
def exported(provider: TracerProvider, variables: Mapping[str, str]) -> Iterator[None]:
    """What a provider's spans are sent by, which stays no longer than `FLUSH_SECONDS`."""
    for name in _TELL_EACH_TRY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with environment(variables):
        batch = _batch(variables)
        provider.add_span_processor(BatchSpanProcessor(_Exporter(), max_export_batch_size=batch))
    try:
        yield
    finally:
        # It would wait for half a minute, and there is no public way to say for how long.
        ending = threading.Thread(target=provider.shutdown, daemon=True)
        ending.start()
        ending.join(FLUSH_SECONDS)
        if ending.is_alive():
            log.warning("the last spans are lost: nobody took them in time")


def _batch(variables: Mapping[str, str]) -> int | None:
    """All that a small queue holds: the SDK refuses one that its own size of a batch exceeds."""
    queue = int(variables.get("OTEL_BSP_MAX_QUEUE_SIZE", _BATCH))
    return queue if queue < _BATCH and "OTEL_BSP_MAX_EXPORT_BATCH_SIZE" not in variables else None
