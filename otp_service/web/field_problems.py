"""What is wrong with the fields of a request; of one that there isn't, which was meant perhaps."""

from __future__ import annotations

import difflib
from typing import Any

from marshmallow import Schema

MOST = 20  # of those that are wrong: an answer should not outgrow its question by far


def problems(wrong: dict[str, Any], schema: Schema) -> dict[str, list[str]]:
    """By the field's name; ``wrong`` is what marshmallow found."""
    return {name: _problems(name, wrong[name], schema) for name in list(wrong)[:MOST]}


def _problems(name: str, found: list[str], schema: Schema) -> list[str]:
    if name in schema.load_fields:
        return found
    known = {_plain(each): each for each in sorted(schema.load_fields)}
    near = difflib.get_close_matches(_plain(name[:64]), known, n=1, cutoff=0.5)
    meant = f" Did you mean {known[near[0]]}?" if near else ""
    return [f"Unknown field.{meant} Known here: {', '.join(known.values())}."]


def _plain(name: str) -> str:
    """Without what differs between spellings, such as phoneNumber and phone_number."""
    return name.lower().replace("_", "").replace("-", "")
