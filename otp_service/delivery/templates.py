"""Which of the languages a sender has is the one to write to a person in."""

from __future__ import annotations

from collections.abc import Iterable


def pick(offered: Iterable[str], wanted: str | None) -> str | None:
    """The member of ``offered`` that fits the BCP 47 tag ``wanted`` best, or None.

    By RFC 4647's lookup: ``pt-BR``, then ``pt``. Then the same language in any other region
    (``pt-PT``), in the order offered: closer to the person than another language. ``_`` is ``-``.
    """
    found: dict[tuple[str, ...], str] = {}
    for tag in offered:
        found.setdefault(_parts(tag), tag)
    range_ = _parts(wanted or "")
    language = range_[:1]
    while range_:
        if range_ in found:
            return found[range_]
        range_ = range_[:-1]
    return next((tag for parts, tag in found.items() if language and parts[:1] == language), None)


def _parts(tag: str) -> tuple[str, ...]:
    return tuple(filter(None, tag.lower().replace("_", "-").split("-")))
