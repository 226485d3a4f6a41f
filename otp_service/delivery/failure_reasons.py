"""Why something failed, as its provider tells it: read out of whatever shape it has, and made fit
to be kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from otp_service.delivery.parsing import (
    MAX_REASON,
    as_object,
    code,
    listed_objects,
    objects_in,
    scrub,
    words,
)

# Each may be an object, a list of them or of texts, or JSON once more, as a text.
_WHERE_ERRORS_ARE = ("errors", "error", "message", "response", "data", "result")
_DEEPEST = 4
_CODE_IN_WORDS = re.compile(r"^\(#([0-9]{1,9})\)\s*")  # Meta's titles begin with it
# Meta's longest have seven digits, like 2494100; what looks otherwise is as likely a phone.
_LIKE_A_CODE = re.compile(r"[0-9]{1,6}|[12][0-9]{6}")
_NOT_TEXT = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<[^<>]*>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Trouble:
    """In codes, and in words for people, which are not scrubbed yet. ``subcode`` is Meta's."""

    code: str = ""
    subcode: str = ""
    words: str = field(default="", repr=False)


def of_answer(facts: Mapping[str, object], body: bytes) -> Trouble:
    """What an answer says: ``facts`` is its JSON object, empty where it has none."""
    listed = listed_objects(body) if not facts else []
    return of(facts or {"errors": listed}) if facts or listed else Trouble(words=_plain_words(body))


def of(facts: Mapping[str, object]) -> Trouble:
    """What an answer, or the facts of a receipt, say went wrong: flat, or in objects inside."""
    each = list(_inside(facts))
    codes = [code(one.get(name)) for one in each for name in ("code", "errorCode")]
    titles = (_CODE_IN_WORDS.match(words(one.get("message"))) for one in each)
    codes += [found[1] for found in titles if found]
    said = [error_words(one) for one in each] + [words(one.get("error")) for one in each]
    return Trouble(
        code=next(filter(None, codes), ""),
        subcode=next(filter(None, (code(one.get("error_subcode")) for one in each)), ""),
        words=next(filter(None, said), ""),
    )


def _inside(facts: Mapping[str, object], depth: int = _DEEPEST) -> Iterator[Mapping[str, object]]:
    """The objects that may say it, the innermost first: it knows best."""
    for name in _WHERE_ERRORS_ARE if depth else ():
        for one in objects_in(facts.get(name)):
            yield from _inside(one, depth - 1)
    yield facts


def error_words(trouble: Mapping[str, object]) -> str:
    """What one error object says, in an answer or in a receipt, each thing once."""
    data = trouble.get("error_data")
    titles = (words(trouble.get(name)) for name in ("message", "title", "reason", "description"))
    details = words(as_object(data).get("details")) or words(data) or words(trouble.get("details"))
    heard: dict[str, str] = {}
    for line in (next(filter(None, titles), ""), details):
        bare = _CODE_IN_WORDS.sub("", line)  # without the code, once more
        heard.setdefault(bare.rstrip(".").lower(), bare)
    return ": ".join(filter(None, heard.values()))


def _plain_words(body: bytes) -> str:
    """A body that is a text for people: no page, nothing like JSON but a text in quotes."""
    return "" if body.lstrip()[:1] in (b"<", b"{", b"[") else _beginning(body).strip('"')


def page_words(body: bytes) -> str:
    """What a page shows: gateways answer with one what others say in a line."""
    return _beginning(body) if body.lstrip()[:1] == b"<" else ""


def _beginning(body: bytes) -> str:
    """What a body begins with; a page without its tags."""
    text = body.decode(errors="replace")
    if text.lstrip().startswith("<"):
        text = _NOT_TEXT.sub(" ", text)
    return " ".join(text.split())


def _receipt(body: Mapping[str, object], *secrets: str) -> str:
    """Who reads a receipt does not know the person's code, so any number may be one."""
    return re.sub(r"[0-9]{4,}", "…", scrub(json.dumps(body), *secrets))


def reason_of(
    trouble: Trouble, body: bytes | Mapping[str, object], *secrets: str, known: bool
) -> str:
    """The reason that is kept: the code and the words, or how the body begins where there is no
    word and the code is ``known`` to no list. No ``secret`` is in it, nor a whole phone.
    """
    rest = trouble.words
    if not (known or rest):
        rest = _beginning(body) if isinstance(body, bytes) else _receipt(body, *secrets)
    shown = [_shown(trouble.code, secrets, known), scrub(rest, *secrets)]
    return ": ".join(filter(None, shown))[:MAX_REASON]


def _shown(text: str, secrets: tuple[str, ...], known: bool) -> str:
    """The code stays readable, unless it is in no list and may be something else."""
    lower = text.lower()
    mixed = any(each and each.lower() in lower for each in secrets)
    readable = known or (_LIKE_A_CODE.fullmatch(text) and not mixed)
    return text if readable else scrub(text, *secrets)
