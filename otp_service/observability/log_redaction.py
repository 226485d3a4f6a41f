"""What a log line may not hold, taken out of whatever is to be logged.

A net below the rule that nothing secret is logged in the first place: it can't know a code.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable, Mapping, Set
from pathlib import Path
from types import TracebackType

from otp_service.domain.phone import mask

HIDDEN = "••••"
_SHORT = 12  # a shorter secret, such as "postgres", may be a part of words that are none
_PLACES = 10
_NO_DURATION = 1e7

_KEY = r"otp_[\w-]{43}"  # an API key of ours
# Ids stay as they are: UUIDs, and hex digits behind the letter of a home or alone.
_PHONE = re.compile(
    r"(?P<id>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[ps]?[0-9a-f]{32,}\b)"
    r"|\+\d(?:[\s().-]{0,2}\d){7,14}(?!\d)"
    r"|(?<!\d)\+?\d{8,15}(?!\d)",
    re.IGNORECASE,
)
_QUERY = re.compile(r"\?.*(?= HTTP/\d)|\?.*")
_CONTROL = ("Cc", "Cf", "Cs", "Zl", "Zp")  # Cf: what is not seen, such as the bidi overrides
_NO_WORD = re.compile(r"(?!\d{1,3}\b)\S*[^A-Za-z\s.,:;'()-]\S*")


class Redaction:
    """Makes any value fit to be logged: no ``secrets``, phones masked, nothing that moves a
    cursor or begins a line.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted(filter(None, set(secrets)), key=len, reverse=True)
        self._secrets = re.compile("|".join([*map(_pattern, known), _KEY]))

    def __call__(self, value: object) -> object:
        """The same in a form that JSON knows: of an exception its type, of an object its text."""
        if isinstance(value, str):  # most are
            return self.text(str(value))
        if value is None or isinstance(value, bool) or _is_duration(value):
            return value
        if isinstance(value, Mapping):
            return {self.text(str(name)): self(each) for name, each in value.items()}
        if isinstance(value, (list, tuple, Set)):
            return [self(each) for each in value]
        if isinstance(value, BaseException):
            return type(value).__name__
        text = self.text(str(value))
        return value if isinstance(value, int) and text == str(value) else text

    def text(self, text: str) -> str:
        return one_line(_PHONE.sub(_masked, self._secrets.sub(HIDDEN, text)))


def _is_duration(value: object) -> bool:
    """Then the digits behind its point are nobody's number."""
    return isinstance(value, float) and abs(value) < _NO_DURATION


class WithoutQuery(logging.Filter):
    """Takes what a URL asks for out of a library's lines about requests: it may be a secret."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if "?" in text:
            record.msg, record.args = _QUERY.sub("?…", text), ()
        return True


def plain_words(text: str) -> str:
    """What a library says without anything it may have got from a request or a setting: its
    words and small numbers, and … for the rest.
    """
    return _NO_WORD.sub("…", text)


def described(error: BaseException) -> dict[str, object]:
    """Fields that tell of an exception what is no secret: its type, those that led to it, and
    the places it went through, innermost last. Its text may hold a code or a phone number.
    """
    return {"error": " from ".join(_types(error)), "places": _places(error.__traceback__)}


def _types(error: BaseException | None) -> Iterable[str]:
    while error:
        yield type(error).__name__
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _places(trace: TracebackType | None) -> list[str]:
    places = []
    while trace:
        code = trace.tb_frame.f_code
        file = "/".join(Path(code.co_filename).parts[-2:])
        places.append(f"{file}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places[-_PLACES:]


def _pattern(secret: str) -> str:
    pattern = re.escape(secret)
    return pattern if len(secret) >= _SHORT else rf"(?<!\w){pattern}(?!\w)"


def _masked(found: re.Match[str]) -> str:
    if found["id"]:
        return found[0]
    return mask("+" + re.sub(r"\D", "", found[0]))


def one_line(text: str) -> str:
    """With whatever could begin a line, move a cursor or turn the direction of text escaped."""
    if text.isprintable():
        return text
    return "".join(
        ascii(each)[1:-1] if unicodedata.category(each) in _CONTROL else each for each in text
    )
