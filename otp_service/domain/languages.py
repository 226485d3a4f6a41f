"""Languages as people's devices name them, and which of those on offer a person reads best."""

from __future__ import annotations

import re
from collections.abc import Iterable
from threading import Lock

from langcodes import Language, language_distance

MAX_LENGTH = 64  # of a tag, as `read` gives it
_MOST_TEXT, _MOST_SUBTAGS = 255, 7
_SCRIPTS = {"latin": "Latn", "cyrillic": "Cyrl", "devanagari": "Deva"}  # as in sr_RS@latin
# Of CLDR's distances: up to here who reads the one language can make do with the other (Nynorsk and
# Bokmål, Cantonese and written Chinese).
_FAR = 25
_lock = Lock()


def read(text: str) -> str | None:
    """The canonical tag (RFC 5646) of a language written as BCP 47 or POSIX do; None if it is none.

    ``pt_br`` is pt-BR, ``en_US.UTF-8`` en-US, ``iw`` he. What can't be read behind a readable
    beginning is left out.
    """
    name, _, modifier = text.strip()[:_MOST_TEXT].partition("@")
    written = filter(None, re.split("[-_]", name.partition(".")[0]))
    subtags = list(written)[:_MOST_SUBTAGS]
    if script := _SCRIPTS.get(modifier.lower()):
        subtags.insert(1, script)
    with _lock:
        _forget()
        while subtags and subtags[0].isalpha():
            if tag := _canonical("-".join(subtags)):
                return tag
            subtags.pop()
    return None


def pick(offered: Iterable[str], wanted: str | None) -> str | None:
    """The member of ``offered`` whose reader is nearest to who wants ``wanted``, or None.

    By CLDR's distances between languages, scripts and regions; of equals the one that is written
    the same, then a more general one, then the first. Beyond them the same language in another
    script: closer to the person than another language.
    """
    person = read(wanted or "")
    if person is None:
        return None
    tags = [(each, tag) for each in offered if (tag := read(each))]
    with _lock:
        ranks = [(_rank(person, tag), each) for each, tag in tags]
    near = [(rank, each) for rank, each in ranks if rank is not None]
    return min(near, key=lambda ranked: ranked[0])[1] if near else None


def _rank(person: str, tag: str) -> tuple[int, bool, bool] | None:
    """The less, the better; None if a default is as good."""
    theirs, ours = Language.get(person), Language.get(tag)
    distance = theirs.distance(ours)
    if distance > _FAR and theirs.language != ours.language:
        return None
    return distance, tag != person, not person.startswith(f"{tag}-")


def _canonical(tag: str) -> str | None:
    try:
        found = Language.get(tag)
    except ValueError:
        return None
    return None if found.language in (None, "und") else found.to_tag()


def _forget() -> None:
    """langcodes keeps all that it was ever asked: what callers invent would fill the memory."""
    kept = (Language._INSTANCES, Language._PARSE_CACHE, language_distance._DISTANCE_CACHE)
    for cache in kept:
        if len(cache) > 2_000:
            cache.clear()
