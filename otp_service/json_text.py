"""JSON as text: orjson's, in a tenth of the time that Python's own takes."""

from __future__ import annotations

import json
from typing import Any

import orjson


def dumps(value: Any) -> bytes:
    """In UTF-8, without blanks. Half a character or a number of more than 64 bits, which orjson
    refuses, is as Python writes it.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()
