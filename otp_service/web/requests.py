"""Reading a request's body, strictly."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from flask import request
from marshmallow import Schema, ValidationError

from otp_service.domain.errors import InvalidRequest
from otp_service.web.errors import InvalidJson, UnsupportedMediaType

MAX_BODY_BYTES = 16 * 1024
MAX_DEPTH = 20


def load_body(schema: Schema) -> dict[str, Any]:
    """The body, checked against ``schema``.

    Raises `UnsupportedMediaType`, `InvalidJson` or `InvalidRequest`, which names the fields.
    """
    if request.mimetype != "application/json" or not _is_utf8():
        raise UnsupportedMediaType
    try:
        return dict(schema.load(parse_object(request.get_data())))
    except ValidationError as error:
        fields = error.messages_dict
    raise InvalidRequest(fields)


def _is_utf8() -> bool:
    charset = request.mimetype_params.get("charset", "utf-8")
    return charset.lower() in ("utf-8", "utf8")


def parse_object(raw: bytes) -> dict[str, Any]:
    """One JSON object (RFC 8259: no NaN) in UTF-8, nested at most 20 deep."""
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or _too_deep(value):
        raise InvalidJson
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _too_deep(value: Any) -> bool:
    """Without recursion, since a parser may follow deeper than Python's own stack goes."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
    return bool(level)


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
