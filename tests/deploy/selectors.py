"""Which metrics an expression of PromQL asks for, and with which labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SELECTOR = re.compile(r"\b(otp_\w+|up|ALERTS)\b(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')


@dataclass(frozen=True)
class Matcher:
    label: str
    operator: str
    value: str

    @property
    def wanted(self) -> list[str]:
        """The values it names: several for a regular expression with alternatives."""
        return self.value.split("|") if "~" in self.operator else [self.value]

    def can_be(self, wanted: str, possible: str) -> bool:
        return bool(re.fullmatch(wanted, possible)) if "~" in self.operator else wanted == possible


@dataclass(frozen=True)
class Selector:
    metric: str
    matchers: tuple[Matcher, ...]


def selectors(expr: str) -> Iterator[Selector]:
    """Of metrics of this service, of `up` and of `ALERTS`."""
    bare = re.sub(r"#.*", "", expr)
    outside = re.sub(r"\b(?:by|on|group_left|without|ignoring)\s*\([^)]*\)", "", bare)
    for metric, inside in _SELECTOR.findall(outside):
        yield Selector(metric, tuple(Matcher(*each) for each in _MATCHER.findall(inside)))
