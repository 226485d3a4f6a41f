"""JSON to values: what is not known is left out, what is needed and missing is an error."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from functools import cache
from types import NoneType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def read(kind: type[T], given: object) -> T:
    """The dataclass ``kind`` out of a JSON object.

    Raises `ValueError`, which names the field and never quotes what was there.
    """
    if not isinstance(given, Mapping):
        raise ValueError(f"{kind.__name__} is no object")
    values = {}
    for name, (type_, required) in _fields(cast("Hashable", kind)).items():
        if given.get(name) is not None:
            values[name] = _value(type_, given[name], name)
        elif required:
            raise ValueError(f"{name} is missing")
    return kind(**values)


@cache
def _fields(kind: Any) -> dict[str, tuple[object, bool]]:
    """The type of each field, and whether it has to be there."""
    types = get_type_hints(kind)
    return {each.name: (types[each.name], each.default is MISSING) for each in fields(kind)}


def _value(type_: object, given: object, name: str) -> object:
    if get_origin(type_) is tuple:
        return tuple(_value(get_args(type_)[0], each, name) for each in _list(given, name))
    kind = cast(
        "type[object]", next((one for one in get_args(type_) if one is not NoneType), type_)
    )
    if is_dataclass(kind):
        return read(kind, given)
    if kind is datetime:
        return time(given, name)
    if not isinstance(given, kind) or (isinstance(given, bool) and kind is not bool):
        raise ValueError(f"{name} is of another type")
    return given


def _list(given: object, name: str) -> list[object]:
    if not isinstance(given, list):
        raise ValueError(f"{name} is no list")
    return given


def time(given: object, name: str = "timestamp") -> datetime:
    """An RFC 3339 time with an offset; Python 3.10 does not read its Z."""
    try:
        read_as = datetime.fromisoformat(str(given).replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(f"{name} is no time") from None
    if read_as.tzinfo is None:
        raise ValueError(f"{name} has no offset")
    return read_as
