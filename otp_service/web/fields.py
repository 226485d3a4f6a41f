"""Fields that are documented as they are checked, and the schema that all answers share."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone
from enum import Enum
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_dump

PHONE = "+919876543210"
TIME = "2026-11-22T17:33:28.125Z"
VERIFICATION_ID = "s" + "0123456789abcdef" * 2  # as the sandbox gives them
MESSAGE_ID = "s" + "fedcba9876543210" * 2


class Text(fields.String):
    """A text; the whole of it must match ``pattern`` (one that JavaScript reads the same way).

    ``rule`` says the same in words, for who got it wrong: what the text has to be. ``reads`` makes
    of the text what was meant by it, before it is looked at, unless it is ``plain`` already.
    """

    def __init__(
        self,
        description: str,
        example: str,
        *validators: Callable[[str], Any],
        rule: str = "",
        pattern: str = "",
        format: str = "",  # noqa: A002 (JSON Schema's word)
        reads: Callable[[str], str | None] | None = None,
        plain: str = "(?!)",  # by default nothing is
        **kwargs: Any,
    ) -> None:
        metadata = {"description": description, "example": example}
        if format:
            metadata["format"] = format
        if pattern:
            metadata["pattern"] = f"^{pattern}$"
            validators = (*validators, matches(pattern, needed(rule, example)))
        if rule:
            kwargs["error_messages"] = _messages(needed(rule, example))
        super().__init__(validate=validators, metadata=metadata, **kwargs)
        self._reads, self._plain = reads, re.compile(plain)

    def _deserialize(self, *args: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(*args, **kwargs)
        return text if self._reads is None or self._plain.fullmatch(text) else self._reads(text)


def needed(rule: str, example: str) -> str:
    """What a wrong field is told."""
    return f"Needed: {rule}, such as {example}."


def _messages(needed: str) -> dict[str, str]:
    return {
        "required": f"Missing. {needed}",
        "null": f"Not null. {needed}",
        "invalid": f"Not a string. {needed}",
    }


def matches(pattern: str, problem: str) -> Callable[[str], None]:
    """Unlike `validate.Regexp` with ``$``, this refuses a trailing newline."""

    known = re.compile(pattern)

    def check(text: str) -> None:
        if not known.fullmatch(text):
            raise ValidationError(problem)

    return check


class Whole(fields.Integer):
    def __init__(self, description: str, example: int, **kwargs: Any) -> None:
        super().__init__(metadata={"description": description, "example": example}, **kwargs)


class Choice(fields.Enum[Any]):
    """One of these, and one component of the document wherever it is."""

    def __init__(self, values: type[Enum], **kwargs: Any) -> None:
        metadata = {"title": values.__name__, "type": "string"}
        super().__init__(values, by_value=True, required=True, metadata=metadata, **kwargs)


class Time(fields.DateTime):
    """An aware time as RFC 3339 in UTC, to the millisecond."""

    def __init__(self, description: str, **kwargs: Any) -> None:
        super().__init__(metadata={"description": description, "example": TIME}, **kwargs)

    def _serialize(self, value: datetime | None, *args: Any, **kwargs: Any) -> str | None:
        return None if value is None else rfc3339(value)


def rfc3339(time: datetime) -> str:
    """In UTC, to the millisecond. ``time`` is aware."""
    text = time.astimezone(timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


class Answer(Schema):
    @post_dump
    def without_empty(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if value is not None}
