"""Whether there are spans. What else OpenTelemetry's SDK is told, it reads by its own names."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from urllib.parse import unquote

from otp_service.environment import Reader, secrets_of

SWITCH = "OTEL_TRACES_EXPORTER"
_EXPORTER = "opentelemetry.exporter.otlp.proto.http"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_QUEUE, _BATCH = "OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"
_AT_LEAST_ONE = {_QUEUE, _BATCH, "OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_EXPORT_TIMEOUT"}
_QUEUE_SIZE = 2048  # the SDK's
_HEADERS = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")


def read_tracing(read: Reader) -> Mapping[str, str] | None:
    """The SDK's variables, of the environment and of `.env`; None where there are no spans."""
    meaning = "Where spans go: none, or otlp from requirements-otel.txt"
    is_on = read.choice(SWITCH, meaning, "none", ("none", "otlp")) == "otlp"
    variables = read.all_of("OTEL_")
    if variables.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    if not is_on:
        _warn_of_half(read, variables)
        return None
    _refuse_what_can_not_work(read, variables)
    for name in _ENDPOINTS:
        read.redact(*secrets_of(variables.get(name, "")))
    for name in _HEADERS:
        read.redact(*_values(variables.get(name, "")))
    return variables


def _warn_of_half(read: Reader, variables: Mapping[str, str]) -> None:
    for name in _ENDPOINTS:
        if name in variables and SWITCH not in variables:
            read.warnings.append(f"{name} does nothing without {SWITCH}=otlp")


def _refuse_what_can_not_work(read: Reader, variables: Mapping[str, str]) -> None:
    if not _is_installed():
        install = "pip install -r requirements-otel.txt"
        read.problems.append(f"{SWITCH}=otlp: it is not installed; {install}")
    for name in _ENDPOINTS:
        if not variables.get(name, "http://").lower().startswith(("http://", "https://")):
            read.problems.append(f"{name} must begin with http:// or https://")
    for name in _PROTOCOLS:
        if variables.get(name, "http/protobuf") != "http/protobuf":
            read.problems.append(f"{name} must be http/protobuf: nothing else is spoken here")
    _refuse_numbers(read, variables)


def _refuse_numbers(read: Reader, variables: Mapping[str, str]) -> None:
    """Those for which the SDK would end a process, without a word of which it was."""
    lowest = dict.fromkeys((name for name in variables if name.endswith("_LIMIT")), 0)
    lowest |= dict.fromkeys(_AT_LEAST_ONE & variables.keys(), 1)
    wrong = {name: low for name, low in lowest.items() if not _is_whole(variables[name], low)}
    for name, low in wrong.items():
        read.problems.append(f"{name} must be a whole number, {low} or more")
    if not wrong and int(variables.get(_BATCH, 1)) > int(variables.get(_QUEUE, _QUEUE_SIZE)):
        read.problems.append(f"{_BATCH} must not be more than {_QUEUE}, {_QUEUE_SIZE} if not set")


def _is_whole(text: str, low: int) -> bool:
    return text.isascii() and text.isdecimal() and int(text) >= low


def _is_installed() -> bool:
    try:
        return bool(find_spec(_EXPORTER) and find_spec("opentelemetry.sdk.trace"))
    except ModuleNotFoundError:  # of what it is in
        return False


def _values(headers: str) -> set[str]:
    """Of ``name=value,name=value``; of "Bearer TOKEN" the token, too."""
    found = {pair.partition("=")[2].strip() for pair in headers.split(",")}
    plain = found | {unquote(each) for each in found}
    return plain | {each.rpartition(" ")[2] for each in plain}
