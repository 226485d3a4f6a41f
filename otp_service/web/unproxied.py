"""Flask's ``request`` and ``g`` themselves, for what every call passes.

Each attribute that is read through their proxies takes as long as to parse a small body.
"""

from __future__ import annotations

from typing import Any, cast

from flask import Request, g, request


def the_request() -> Request:
    return cast(Request, cast(Any, request)._get_current_object())


def the_g() -> Any:
    return cast(Any, g)._get_current_object()


def header(asked: Request, name: str) -> str | None:
    """As Flask's ``headers.get``, which raises and catches an error for each that is not there."""
    found: str | None = asked.environ.get(f"HTTP_{name.upper().replace('-', '_')}")
    return found
