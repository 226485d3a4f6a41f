"""Where a text stops being the JSON that we take, told without a word of it."""

from __future__ import annotations

import json
import re
from typing import Any

from otp_service.observability.log_redaction import plain_words

MAX_DEPTH = 20
_BOM = "\ufeff"
_DIGITS = 4300  # of one number; Python refuses to read longer ones
_MARKS = re.compile(
    r'"(?:[^"\\]|\\.)*"?|(?P<opens>[\[{])|(?P<closes>[\]}])|(?P<refused>-?Infinity|NaN)'
    rf"|(?P<long>\d{{{_DIGITS + 1},}})",
    re.DOTALL,
)
Place = dict[str, Any]


def place(problem: str, text: str, position: int) -> Place:
    """``position`` counts characters from 0, lines and columns count from 1."""
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return {"problem": problem, "line": line, "column": column, "position": position}


def of_decoding(raw: bytes, error: UnicodeDecodeError) -> Place:
    before = raw[: error.start].decode("utf-8")
    return place("Not UTF-8", before, len(before))


def of_parsing(text: str, error: json.JSONDecodeError) -> Place:
    if text.startswith(_BOM):
        return place("A byte order mark stands before the JSON: leave it out", text, 0)
    return place(plain_words(error.msg), text, error.pos)  # some versions quote what they found


def of_value(text: str) -> Place:
    """In a text that is JSON for some parsers, but not for us."""
    depth = 0
    for found in _MARKS.finditer(text):
        depth += bool(found["opens"]) - bool(found["closes"])
        if depth > MAX_DEPTH:
            return place(f"Nested more than {MAX_DEPTH} deep", text, found.start())
        if found["refused"]:
            return place("NaN and Infinity are no JSON", text, found.start())
        if found["long"]:
            return place(f"A number of more than {_DIGITS} digits", text, found.start())
    return place("Not an object", text, len(text) - len(text.lstrip()))
