"""What a person types, or a keyboard adds to it, as a program reads it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

from otp_service.domain.errors import InvalidPhoneNumber

# Blanks, dashes and what is not seen: directions, joiners, soft hyphens (Unicode's categories).
_LEFT_OUT = frozenset({"Zs", "Zl", "Zp", "Pd", "Cf"})
# The same, where Unicode has them in other categories: minus signs, the Japanese long vowel that
# phone keyboards give for a dash, keycaps, variation selectors, joiners and fillers.
_LEFT_OUT_TOO = (
    "\u2212\u02d7\u2043\u30fc\uff70\u20e3\u034f\u2800\u115f\u1160\u3164\uffa0\u17b4\u17b5"
    "\u180b\u180c\u180d\u180f" + "".join(map(chr, range(0xFE00, 0xFE10)))
)


def plain(text: str, categories: Container[str] = (), others: str = "") -> str:
    """``text`` without blanks, dashes and format characters; digits of any script as ASCII.

    Unicode ``categories`` and single characters that the kind of text may have as well go, too.
    """
    return "".join(_plain(character, categories, others) for character in text)


def _plain(character: str, categories: Container[str], others: str) -> str:
    value = unicodedata.decimal(character, None)
    if value is not None:
        return str(value)
    if character.isspace() or character in _LEFT_OUT_TOO or character in others:
        return ""
    category = unicodedata.category(character)
    return "" if category in _LEFT_OUT or category in categories else character


def code_in(text: str) -> str | None:
    """The digits of a code in a text, as ASCII: of its runs of digits the one that has 4 to 10.

    None if there is none, or more than one.
    """
    runs = re.findall("[0-9]+", "".join(_as_digit(character) for character in text))
    codes = [run for run in runs if 4 <= len(run) <= 10]
    return codes[0] if len(codes) == 1 else None


def _as_digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return " " if value is None else str(value)


_SEPARATORS = ".．。｡·•․/／⁄∕~～∼⁓"
_BRACKETS = frozenset({"Ps", "Pe"})
_PLUS = str.maketrans("＋﹢", "++")
_EXTENSION = re.compile(r"\+?[0-9]+(?:[;,]?ext(?:ension)?[:=]?|[x;,#]+|anexo|int|доб)[0-9]+#?")


def number(text: str) -> str:
    """The digits of a phone number, with a plus before them if there is one.

    Raises `InvalidPhoneNumber`.
    """
    bare = plain(text, _BRACKETS, _SEPARATORS).translate(_PLUS).lower().removeprefix("tel:")
    if _EXTENSION.fullmatch(bare):
        raise InvalidPhoneNumber("extension")  # nobody reads WhatsApp behind one
    if not re.fullmatch(r"\+?[0-9]+", bare):
        raise InvalidPhoneNumber("not_a_number")
    return bare
