"""Each view's operation object, of its name, its docstring and what it declares."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from flask import Flask

from otp_service.web.blueprint import Blueprint

Json = dict[str, Any]
_CONVERTED = re.compile(r"<(?:[^<>]*:)?(\w+)>")


def operations(app: Flask, blueprint: Blueprint) -> Iterator[tuple[str, str, Json]]:
    """Path and method of each view, in OpenAPI's spelling, and its operation object.

    Dicts in it are nobody else's: what describes several views stays as it is.
    """
    for name, parts in blueprint.operations.items():
        endpoint = f"{blueprint.name}.{name}"
        rule = next(app.url_map.iter_rules(endpoint))
        (method,) = {"GET", "POST", "DELETE"}.intersection(rule.methods or ())
        words = inspect.getdoc(app.view_functions[endpoint]) or ""
        summary, _, description = words.partition("\n\n")
        operation = {
            "summary": summary,
            "description": description,
            "tags": [blueprint.name],
            "operationId": name,
        }
        for part in parts:
            _add(part(), operation)
        yield _CONVERTED.sub(r"{\1}", rule.rule), method.lower(), operation


def _add(part: Json, operation: Json) -> None:
    for name, value in part.items():
        if isinstance(value, dict):
            _add(value, operation.setdefault(name, {}))
        else:
            operation[name] = value
