"""What in the environment is likely not as it was meant: misspelt names, half-read `.env` lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from difflib import get_close_matches

PREFIXES = ("OTP_", "GUPSHUP_", "META_", "HOOK_", "EVENTS_")
"""Whatever begins so is meant for this service, so that what is not known is an oversight."""

_QUOTED = re.compile(r"""(["']).*\1""", re.DOTALL)
_COMMENTED = re.compile(r"(?:.*\s)?#(?:\s.*)?|.*\s#[^{].*", re.DOTALL)
"""A # before a brace is left alone: ``@example.com #{code}`` is how an SMS names the page that it
is for (https://wicg.github.io/sms-one-time-codes/).
"""
_FORMS = (
    (_QUOTED, "still has quotes around it, and they are part of it", "leave them out"),
    (re.compile(r".*\\n.*", re.DOTALL), r"has \n in it as two characters", "no new line is sent"),
    (_COMMENTED, "has a # after a blank, as if a comment followed", "give that a line of its own"),
    (re.compile(r".*\$\{\w*\}.*", re.DOTALL), "has ${…} in it", "write out what that stands for"),
)
"""What python-dotenv takes out of a line of `.env` and `docker run --env-file` leaves there."""


def problems(environ: Mapping[str, str], known: Set[str]) -> Iterator[str]:
    """Of values that are no text."""
    for name in sorted(known & environ.keys()):
        if not _is_text(environ[name]):
            yield f"{name} is not UTF-8"


def warnings(environ: Mapping[str, str], known: Set[str]) -> Iterator[str]:
    """No line quotes a value. What is empty counts as unset."""
    for name in sorted(name for name, value in environ.items() if value.strip()):
        meant = name.removeprefix("export ").strip()  # docker's readers make it part of the name
        if name in known:
            yield from _forms(name, environ[name].strip())
        elif meant.upper().startswith(PREFIXES) or meant in known:
            yield f"{_shown(name)} is not a setting and does nothing: {_advice(meant, known)}"


def _forms(name: str, value: str) -> Iterator[str]:
    for form, what, advice in _FORMS:
        if form.fullmatch(value):
            yield f"{name} {what}: docker --env-file takes a line of .env as it stands; {advice}"


def _advice(name: str, known: Set[str]) -> str:
    upper = name.upper()
    same = [each for each in (upper, upper.partition("_")[2]) if each in known]
    near = same or get_close_matches(upper, sorted(known), n=1)
    return f"did you mean {near[0]}?" if near else "env.example has those that there are"


def _shown(name: str) -> str:
    """Nothing in it can break a line, or hide."""
    return name if name.isprintable() else ascii(name)


def _is_text(value: str) -> bool:
    """Bytes that are no UTF-8 come out of the environment as lone surrogates (PEP 383)."""
    return not any("\ud800" <= character <= "\udfff" for character in value)
