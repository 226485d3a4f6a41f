"""What a hook's body says, field by field: other systems' words, read as ours.

What is wrong with one is told by its name in their format. No problem quotes a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any, NoReturn

from otp_service.domain import languages
from otp_service.domain.errors import InvalidRequest
from otp_service.domain.typed import code_in
from otp_service.web.hooks.hook import LOGIN, Json

_MOST = 4096  # characters
_CODE = re.compile("[0-9]{4,10}")
_WORDS = re.compile("(?<=[a-z0-9])(?=[A-Z])")
_NO_PURPOSE = re.compile("[^a-z0-9_-]+")
_PRIVATE = [
    ip_network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]


TEXT: Json = {"type": ["string", "null"], "maxLength": _MOST, "pattern": "^[^\\u0000]*$"}
PHONE: Json = {"type": "string", "format": "phone"}
CODE: Json = {"type": "string", "pattern": "^[0-9]{4,10}$"}


def schema(required: Mapping[str, Json], **optional: Json) -> Json:
    """JSON Schema of an object with these fields, and any others."""
    fields = {"properties": {**required, **optional}, "additionalProperties": True}
    return {"type": "object", "required": [*required], **fields}


def text(body: Json, path: str) -> str:
    """The text at ``path``, its names with dots between. Raises `InvalidRequest`."""
    found = optional_text(body, path)
    if not found:
        refuse(path, "Missing. Needed: a text.")
    return found


def optional_text(body: Json, path: str) -> str:
    """The same; empty if there is none."""
    found: Any = body
    for name in path.split("."):
        if not isinstance(found, dict):
            refuse(path, "Not in an object.")
        found = found.get(name)
        if found is None:
            return ""
    if not isinstance(found, str) or len(found) > _MOST or not _is_plain(found):
        refuse(path, f"Needed: a text of at most {_MOST} characters.")
    return found


def refuse(path: str, rule: str) -> NoReturn:
    raise InvalidRequest({path: [rule]})


def _is_plain(text: str) -> bool:
    """Neither NUL nor halves of characters, which no database keeps."""
    return "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def code(body: Json, *paths: str) -> str:
    """The code at the first of ``paths`` that has a text. Raises `InvalidRequest`."""
    for path in paths:
        if found := optional_text(body, path):
            return found if _CODE.fullmatch(found) else refuse(path, "Needed: 4 to 10 digits.")
    return refuse(paths[0], "Missing. Needed: 4 to 10 digits; what has no code is not sent.")


def code_of_text(body: Json, path: str) -> str:
    """The code in a text that was made for people. Raises `InvalidRequest`."""
    return code_in(optional_text(body, path)) or refuse(
        path, "Needed: a text with exactly one number of 4 to 10 digits."
    )


def purpose(name: str) -> str:
    """What ``name`` is as a purpose: ``ForgotPassword`` forgot-password; login if it is nothing."""
    written = _NO_PURPOSE.sub("-", _WORDS.sub("-", name).lower())
    return written.strip("-")[:32].rstrip("-") or LOGIN


def locale(*written: str) -> str | None:
    """The first that can be read as a language."""
    return next(filter(None, map(languages.read, filter(None, written))), None)


def address(written: str) -> str | None:
    """An end user's address, to be counted: None where it is private, and so of no one person."""
    try:
        found = ip_address(written.strip())
    except ValueError:
        return None
    found = getattr(found, "ipv4_mapped", None) or found
    of_nobody = found.is_loopback or found.is_link_local or found.is_unspecified
    if of_nobody or any(found in network for network in _PRIVATE):
        return None
    return str(found)
