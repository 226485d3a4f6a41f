"""Bodies: a request's is read strictly, as its query is; a success's is an envelope."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

from flask import Request, Response, jsonify, request
from marshmallow import Schema, ValidationError

from otp_service.domain import callbacks
from otp_service.domain.errors import InvalidRequest
from otp_service.web import json_position
from otp_service.web.error_handlers import REPLAYED
from otp_service.web.errors import InvalidJson, UnsupportedMediaType
from otp_service.web.field_problems import MOST, problems
from otp_service.web.unproxied import the_request

View = Callable[..., Any]

_TYPE = "application/json"
FORM = "application/x-www-form-urlencoded"
MAX_BODY_BYTES = 16 * 1024


def with_body(schema: Schema, view: View, load: Callable[[Schema], dict[str, Any]]) -> View:
    """``view``, given the body that fits ``schema``, as ``load`` reads it, as first argument."""

    @wraps(view)
    def wrapped(**kwargs: Any) -> Any:
        return view(load(schema), **kwargs)

    return wrapped


def load_body(schema: Schema) -> dict[str, Any]:
    """The body, checked against ``schema``.

    Raises `UnsupportedMediaType`, `InvalidJson` or `InvalidRequest`, which names the fields.
    """
    asked = the_request()
    if not is_json(asked):
        raise UnsupportedMediaType
    return _loaded(schema, parse_object(asked.get_data()))


def load_form(schema: Schema) -> dict[str, Any]:
    """The form in the body, checked against ``schema``; of several fields of a name the first.

    Raises `UnsupportedMediaType`, or `InvalidRequest`, which names the fields.
    """
    asked = the_request()
    asked.max_content_length = callbacks.MAX_BODY_BYTES
    if asked.mimetype != FORM and asked.get_data():
        raise UnsupportedMediaType
    return _loaded(schema, asked.form.to_dict())


def load_query(schema: Schema) -> dict[str, Any]:
    """The query, checked against ``schema``: each parameter once, and all of them texts.

    Raises `InvalidRequest`, which names the parameters.
    """
    given = request.args.to_dict(flat=False)
    if twice := [name for name, values in given.items() if len(values) > 1]:
        raise InvalidRequest({name: ["Given more than once."] for name in twice[:MOST]})
    return _loaded(schema, {name: text for name, (text,) in given.items()})


def _loaded(schema: Schema, value: dict[str, Any]) -> dict[str, Any]:
    unknown = [name for name in value if name not in schema.load_fields]
    for name in unknown[MOST:]:  # each takes a while, and is not told
        del value[name]
    try:
        return dict(schema.load(value))
    except ValidationError as error:
        wrong = error.messages_dict
    raise InvalidRequest(problems(wrong, schema))


def is_json(asked: Request) -> bool:
    """Whether it says so of its body, and that it is UTF-8."""
    return asked.content_type == _TYPE or (asked.mimetype == _TYPE and _is_utf8(asked))


def _is_utf8(asked: Request) -> bool:
    charset = asked.mimetype_params.get("charset", "utf-8")
    return charset.lower() in ("utf-8", "utf8")


def parse_object(raw: bytes) -> dict[str, Any]:
    """One JSON object (RFC 8259: no NaN) in UTF-8, nested at most 20 deep.

    Raises `InvalidJson`, which tells where it ends to be one.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidJson(**json_position.of_decoding(raw, error)) from None
    try:
        value = _JSON.decode(text)
    except json.JSONDecodeError as error:
        raise InvalidJson(**json_position.of_parsing(text, error)) from None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or _too_deep(value):
        raise InvalidJson(**json_position.of_value(text))
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


_JSON = json.JSONDecoder(parse_constant=_refuse)


def _too_deep(value: Any) -> bool:
    """Without recursion, since a parser may follow deeper than Python's own stack goes."""
    level, depth = [value], 0
    while level and depth < json_position.MAX_DEPTH:
        level, depth = [child for parent in level for child in _children(parent)], depth + 1
    return bool(level)


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def answer(message: str, data: dict[str, Any], *, repeated: bool = False) -> Response:
    """The envelope of a success; ``repeated``: an earlier request with the same key got it, too."""
    response = jsonify({"success": True, "message": message, "data": data})
    if repeated:
        response.headers[REPLAYED] = "true"
    return response
