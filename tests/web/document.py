"""Looking things up in an OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]


def operations(document: Json) -> list[tuple[str, Json]]:
    """Each with its method and path as a name."""
    return [
        (f"{method} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def resolved(document: Json, part: Json) -> Json:
    """What a ``$ref`` refers to, or the part itself."""
    _, kind, name = part["$ref"].removeprefix("#/").split("/") if "$ref" in part else ("", "", "")
    found: Json = document["components"][kind][name] if name else part
    return found


def all_in(part: Any) -> Iterator[Json]:
    """Every object in it, at any depth."""
    if isinstance(part, dict):
        yield part
    for child in (
        part.values() if isinstance(part, dict) else part if isinstance(part, list) else []
    ):
        yield from all_in(child)
