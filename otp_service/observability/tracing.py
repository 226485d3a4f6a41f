"""Spans of OpenTelemetry's, where they are asked for: without, nothing here is imported.

They hold names, codes and ids of our own: no text of a caller's, a provider's or an exception's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import (
    SERVICE_NAME,
    SERVICE_VERSION,
    OTELResourceDetector,
    Resource,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otp_service.domain.errors import DeliveryError
from otp_service.domain.messages import Outgoing
from otp_service.observability import log_format
from otp_service.observability.span_export import environment, exported

Attributes = Mapping[str, str | int]

_TRACEPARENT = TraceContextTextMapPropagator()
_LONGEST = 128  # bytes of a traceparent: today's has 55
_trace_id: ContextVar[int | None] = ContextVar("trace_id", default=None)


class Tracing:
    """``variables`` are those of the environment that the SDK reads, ``version`` is the service's.

    Where no span is recorded, be it that the caller or the sampler wants none, there are none
    within it either: what polls a database all day long leaves no trace.
    """

    current = staticmethod(trace.get_current_span)
    pass_on: Callable[[Any], None] = staticmethod(_TRACEPARENT.inject)
    """Puts a traceparent into headers, if there is a trace."""

    def __init__(self, variables: Mapping[str, str], version: str) -> None:
        self._variables = variables
        with environment(variables):
            self._provider = TracerProvider(
                resource=_resource(version), id_generator=_Ids(), shutdown_on_exit=False
            )
        self._tracer = self._provider.get_tracer("otp_service", version)

    @contextmanager
    def exporting(self) -> Iterator[None]:
        """Spans are sent from here on, and at the end those that are left; lines of the log tell
        to which they belong. It starts a thread, so it is for the process that serves or works.
        """
        log_format.trace_ids = _trace_ids
        try:
            with exported(self._provider, self._variables):
                yield
        finally:
            log_format.trace_ids = dict

    def request(self, traceparent: str) -> AbstractContextManager[Span]:
        """Of a caller's trace, if he names one. What else he tells of it is not passed on."""
        headers = {"traceparent": traceparent} if len(traceparent) <= _LONGEST else {}
        theirs = _TRACEPARENT.extract(headers, Context())
        return _current(self._tracer.start_span("request", theirs, SpanKind.SERVER))

    def call(self, name: str, attributes: Attributes) -> AbstractContextManager[Span]:
        """Of a database or a provider, within what a request or the worker does."""
        if not trace.get_current_span().is_recording():
            return nullcontext(trace.INVALID_SPAN)
        return _current(self._tracer.start_span(name, None, SpanKind.CLIENT, attributes))

    @staticmethod
    def failed(span: Span, why: str) -> None:
        """``why`` is a code of ours, or the name of a type."""
        span.set_attribute("error.type", why)
        span.set_status(StatusCode.ERROR)

    def queued(self, message: Outgoing) -> None:
        """A request leaves it to a worker: two spans that name each other, since the worker's
        trace is the verification's (see `_Ids`).
        """
        asked = trace.get_current_span()
        if not asked.is_recording():
            return
        links = [Link(asked.get_span_context())]
        left = self._root("queue message", SpanKind.PRODUCER, message, links)
        asked.add_link(left.get_span_context())
        left.end()

    def handled(self, message: Outgoing) -> AbstractContextManager[Span]:
        """What a worker does about a message that it has taken."""
        return _current(self._root("handle message", SpanKind.CONSUMER, message))

    def _root(
        self, name: str, kind: SpanKind, message: Outgoing, links: Sequence[Link] = ()
    ) -> Span:
        given = _trace_id.set(int(message.verification_id[1:], 16))
        facts = {
            "otp.verification_id": message.verification_id,
            "otp.delivery_id": message.delivery_id,
            "otp.provider": message.provider,
            "otp.channel": message.channel.value,
            "otp.tries": message.tries,
        }
        try:
            return self._tracer.start_span(name, Context(), kind, facts, links)
        finally:
            _trace_id.reset(given)


class _Ids(RandomIdGenerator):
    """What is done about a message after its request is in the trace whose id is that of its
    verification, 128 random bits: every worker on every machine knows it, and nothing is stored.
    """

    def generate_trace_id(self) -> int:
        return _trace_id.get() or super().generate_trace_id()


@contextmanager
def _current(span: Span) -> Iterator[Span]:
    """Until the block ends. An error is told by its code or type: its text may hold anything."""
    with trace.use_span(span, True, record_exception=False, set_status_on_exception=False):
        try:
            yield span
        except Exception as error:
            Tracing.failed(span, _why(error))
            raise


def _why(error: Exception) -> str:
    return error.failure.code if isinstance(error, DeliveryError) else type(error).__name__


def _trace_ids() -> dict[str, object]:
    here = trace.get_current_span().get_span_context()
    if not here.is_valid:
        return {}
    return {
        "trace_id": trace.format_trace_id(here.trace_id),
        "span_id": trace.format_span_id(here.span_id),
    }


def _resource(version: str) -> Resource:
    """Whose spans these are: as the environment says, or by our own name. The SDK adds an id of
    this process.
    """
    ours = Resource({SERVICE_NAME: "otp-service", SERVICE_VERSION: version})
    return Resource.create().merge(ours).merge(OTELResourceDetector().detect())
