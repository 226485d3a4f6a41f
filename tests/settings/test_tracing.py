"""Whether there are spans, by OpenTelemetry's own names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.settings.environments import load, problems

ON = {"OTEL_TRACES_EXPORTER": "otlp"}
QUEUE = "OTEL_BSP_MAX_QUEUE_SIZE"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def test_there_are_none_unless_they_are_asked_for(tmp_path: Path) -> None:
    assert load(tmp_path).tracing is None
    assert load(tmp_path, OTEL_TRACES_EXPORTER="none").tracing is None
    assert load(tmp_path, **ON).tracing == ON


@pytest.mark.parametrize("disabled", ["true", "TRUE"])
def test_what_is_disabled_stays_off(tmp_path: Path, disabled: str) -> None:
    assert load(tmp_path, **ON, OTEL_SDK_DISABLED=disabled).tracing is None


def test_the_sdk_is_told_all_that_begins_with_its_name(tmp_path: Path) -> None:
    more = {"OTEL_SERVICE_NAME": "codes", "OTEL_BSP_MAX_QUEUE_SIZE": "100"}
    assert load(tmp_path, **ON, **more, OTEL_EMPTY="", OTHER="x").tracing == ON | more


def test_an_endpoint_alone_is_warned_of(tmp_path: Path) -> None:
    warning = f"{ENDPOINT} does nothing without OTEL_TRACES_EXPORTER=otlp"
    at = {ENDPOINT: "http://collector:4318"}
    assert warning in load(tmp_path, **at).warnings
    for told in (ON, {"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true"}):
        assert warning not in load(tmp_path, **at, **told).warnings


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("OTEL_TRACES_EXPORTER", "zipkin", "must be one of: none, otlp"),
        (ENDPOINT, "collector:4318", "must begin with http:// or https://"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "//c", "must begin with http:// or https://"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "must be http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "must be http/protobuf"),
        (QUEUE, "0", "must be a whole number, 1 or more"),
        (QUEUE, "many", "must be a whole number, 1 or more"),
        ("OTEL_BSP_SCHEDULE_DELAY", "-1", "must be a whole number, 1 or more"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "1.5", "must be a whole number, 1 or more"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2049", f"must not be more than {QUEUE}"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "x", "must be a whole number, 0 or more"),
    ],
)
def test_what_can_not_work_is_refused(tmp_path: Path, name: str, value: str, problem: str) -> None:
    (told,) = problems(tmp_path, **ON | {name: value})
    assert told.startswith(f"{name} {problem}")


@pytest.mark.statement(13)
def test_what_a_collector_is_shown_is_redacted(tmp_path: Path) -> None:
    headers = "Authorization=Bearer%20canary-token,x-key=canary-key"
    at = {ENDPOINT: "https://us:canary-word@collector", "OTEL_EXPORTER_OTLP_HEADERS": headers}
    settings = load(tmp_path, **ON, **at)
    assert {"canary-token", "canary-key", "canary-word"} <= settings.redacted
    assert "canary" not in repr(settings)
