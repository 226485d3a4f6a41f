"""What a provider tells, made fit to be kept: nobody vouches for its types, length or contents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from functools import partial
from urllib.parse import quote, quote_plus

Json = Mapping[str, object]
"""A JSON object, as somebody else wrote it."""
MAX_ID = 200  # characters; real ones have 10 to 90
MAX_REASON = 200  # characters
_EARLIEST = datetime(2020, 1, 1, tzinfo=timezone.utc)
_LISTED = 20  # of a list of errors more are not looked at
_MILLISECONDS = 10**11  # so many seconds are the year 5138, so many milliseconds are 1973


def json_object(body: bytes | str) -> dict[str, object]:
    """The body's JSON object; empty if it is anything else. Its content type may say text/html.

    A text in JSON may have half a character, which no encoding takes: it is read as it is.
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return as_object(said)


def as_object(value: object) -> dict[str, object]:
    """``value`` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_objects(value: object) -> list[dict[str, object]]:
    """The objects in ``value`` if it is a list, else none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def objects_in(value: object) -> list[dict[str, object]]:
    """Itself, those of a list, or that of a JSON text; a text in a list is a message."""
    if isinstance(value, list):
        listed = [as_object({"message": each} if isinstance(each, str) else each) for each in value]
        return [each for each in listed if each][:_LISTED]
    found = as_object(value) or (json_object(value) if isinstance(value, str) else {})
    return [found] if found else []


def listed_objects(body: bytes) -> list[dict[str, object]]:
    """The objects of a body that is a JSON list."""
    if body.lstrip()[:1] != b"[":
        return []
    return objects_in(json_object(b'{"list":%b}' % body).get("list"))


def text(value: object) -> str:
    """A text without blanks around it, or a whole number as one; empty for anything else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**40:
        value = str(value)
    return words(value)


def words(value: object) -> str:
    """What was written for people; a number tells them nothing."""
    return value.strip() if isinstance(value, str) else ""


def message_id(value: object) -> str | None:
    """``value`` if it can be an id: printable, because Postgres stores no NUL."""
    written = words(value)
    return written if written.isprintable() and 0 < len(written) <= MAX_ID else None


def first_id(values: Iterable[object]) -> str | None:
    """The first that can be an id, be it told as a number."""
    return next(filter(None, (message_id(text(value)) for value in values)), None)


def delivery_id(value: object) -> str | None:
    """``value`` if it can be the id that we gave a message; others put there what they like."""
    written = words(value)
    return written if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", written) else None


def code(value: object) -> str:
    """A failure code, told as a number or as a text; empty if it can't be one."""
    written = text(value)
    return written if re.fullmatch(r"[A-Za-z0-9_-]{1,20}", written) else ""


def moment(written: object) -> datetime | None:
    """Seconds or milliseconds since 1970, as a number or a text; None if it can't be true."""
    try:
        number = float(text(written) or (written if isinstance(written, float) else "nan"))
        seconds = number / 1000 if abs(number) >= _MILLISECONDS else number
        at = datetime.fromtimestamp(seconds, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None
    latest = datetime.now(timezone.utc) + timedelta(days=1)
    return at if _EARLIEST <= at <= latest else None


def first_moment(values: Iterable[object]) -> datetime | None:
    return next(filter(None, map(moment, values)), None)


_WRITTEN: tuple[Callable[[str], str], ...] = (
    str,
    quote_plus,
    partial(quote, safe=""),
    lambda text: json.dumps(text)[1:-1],
)


def digits(number: str) -> str:
    return "".join(char for char in number if char in "0123456789")


def scrub(line: str, *secrets: str) -> str:
    """``line`` fit to be kept: no secret, phones masked, one printable line, 200 characters.

    A secret is found in any case, with single spaces or dashes inside ("123-456"), and as a form
    or JSON would write it. Longer ones go first and the cut comes last: a part of a secret would
    not be recognized any more.
    """
    written = {form(each) for each in filter(None, secrets) for form in _WRITTEN}
    for secret in sorted(written, key=len, reverse=True):
        line = re.sub(r"[\s-]?".join(map(re.escape, secret)), "…", line, flags=re.IGNORECASE)
    line = re.sub(r"\d(?:[\s().-]{0,2}\d){6,}", lambda run: f"••••{run[0][-4:]}", line)
    return "".join(char if char.isprintable() else " " for char in line).strip()[:MAX_REASON]
