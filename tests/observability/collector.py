"""An OpenTelemetry collector on the loopback interface: keeps what comes as OTLP over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status

from tests.faults.waiting import until


@dataclass(frozen=True)
class Seen:
    """A span as it was sent. Ids are hex, ``parent`` is empty for a root; ``links`` are the trace
    and the span of each.
    """

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    facts: dict[str, Any]
    links: list[tuple[str, str]]
    failed: bool
    resource: dict[str, Any]


class Collector:
    """``requests`` are those that were taken; ``came`` is how many spans came, taken or not;
    ``status`` is what is answered.
    """

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.status, self.came = 200, 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def settings(self) -> dict[str, str]:
        """For a service whose spans come here, soon."""
        return {
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.url,
            "OTEL_BSP_SCHEDULE_DELAY": "10",
        }

    @property
    def spans(self) -> list[Seen]:
        pairs = [pair for request in list(self.requests) for pair in _spans(request)]
        return [_seen(span, _facts(group.resource.attributes)) for group, span in pairs]

    @property
    def text(self) -> str:
        """All that was sent, readable."""
        return "\n".join(map(str, self.requests))

    def named(self, name: str, **facts: object) -> list[Seen]:
        wanted = {key.replace("_", "."): value for key, value in facts.items()}
        found = [span for span in self.spans if span.name == name]
        return [span for span in found if wanted.items() <= span.facts.items()]

    def one(self, name: str) -> Seen:
        """Wait for it."""
        until(lambda: bool(self.named(name)))
        (span,) = self.named(name)
        return span

    def within(self, span: Seen) -> list[Seen]:
        """What has it as its parent, in order of their beginning as they ended."""
        return [each for each in self.spans if (each.trace, each.parent) == (span.trace, span.id)]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def collector() -> Iterator[Collector]:
    started = Collector()
    try:
        yield started
    finally:
        started.close()


def _handler(collector: Collector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/traces"
            request = ExportTraceServiceRequest.FromString(body)
            status = collector.status
            if status == 200:
                collector.requests.append(request)
            collector.came += len(_spans(request))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, *args: object) -> None: ...

    return Handler


def _spans(request: ExportTraceServiceRequest) -> list[tuple[ResourceSpans, Span]]:
    return [
        (group, span)
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]


def _seen(span: Span, resource: dict[str, Any]) -> Seen:
    return Seen(
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        facts=_facts(span.attributes),
        links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        resource=resource,
    )


def _facts(attributes: Any) -> dict[str, Any]:
    return {each.key: _value(each) for each in attributes}


def _value(pair: KeyValue) -> Any:
    return getattr(pair.value, str(pair.value.WhichOneof("value")))
