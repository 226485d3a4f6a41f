"""Reads typed values from an environment and collects every problem instead of the first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import click

from otp_service.wording import counted

_SWITCH = {"on": True, "true": True, "yes": True, "1": True}
_SWITCH |= {"off": False, "false": False, "no": False, "0": False}
_SHORT = 4


class SettingsError(click.ClickException):
    """The configuration can't work; ``problems`` has a line for each reason.

    ``warnings`` are told along: a name that is spelt wrong is why another one is missing.
    A click exception, so that `flask otp …` and `python wsgi.py` print it and exit with 2.
    """

    exit_code = 2

    def __init__(self, problems: list[str], warnings: Sequence[str] = ()) -> None:
        text = f"the configuration has {_listed('problem', problems)}"
        super().__init__(text + (f"\nand {_listed('warning', warnings)}" if warnings else ""))
        self.problems = problems


def _listed(noun: str, lines: Sequence[str]) -> str:
    return f"{counted(len(lines), noun)}:" + "".join(f"\n  - {line}" for line in lines)


_PLACEHOLDER = re.compile(
    r"your_.*|your[- ].*\b(?:here|id|key|name|number|password|secret|token)|<.*>|"
    r"(?:change|replace)[-_ ]?me.*",
    re.IGNORECASE | re.DOTALL,
)


def is_placeholder(value: str) -> bool:
    """Whether it is what an example has in the place of a value: ``your_api_key_here``."""
    return _PLACEHOLDER.fullmatch(value) is not None


@dataclass(frozen=True)
class Variable:
    """A setting as a person meets it; ``default`` is written as in `.env`, empty for none."""

    name: str
    meaning: str
    default: str


class Reader:
    """Values by name. An empty value counts as unset. No problem ever quotes a value.

    Whoever reads a setting declares it, once: its name, what it means, what holds without it.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.variables: dict[str, Variable] = {}
        """What was declared: when all is read, the settings that there are."""
        self.asked: set[str] = set()
        """Every name that was looked up, those of other programs too: PGSSLMODE for example."""
        self.redacted: set[str] = set()
        """What no line of the log may hold, as it is written there and in URLs."""
        self.problems: list[str] = []
        self.warnings: list[str] = []

    def given(self, name: str) -> str:
        """What the environment has for it, whoever declares it; empty for nothing."""
        self.asked.add(name)
        return self._environ.get(name, "").strip()

    def text(self, name: str, meaning: str, default: str = "") -> str:
        if name in self.variables:
            raise ValueError(f"{name} is declared twice")
        self.variables[name] = Variable(name, meaning, default)
        return self.given(name) or default

    def all_of(self, prefix: str) -> dict[str, str]:
        """What is given under every name that begins so: settings of another program's."""
        names = [name for name in self._environ if name.startswith(prefix)]
        return {name: value for name in names if (value := self.given(name))}

    def secret(self, name: str, meaning: str) -> str:
        """A text that is redacted wherever it would be logged."""
        value = self.text(name, meaning)
        self.redact(value)
        return value

    def one_or_two_secrets(self, name: str, meaning: str) -> str:
        """A secret that others know, or two of them with a bar between: ``NEW|OLD``. Both hold."""
        value = self.text(name, meaning)
        parts = [part.strip() for part in value.split("|")]
        self.redact(value, *parts)
        if value and not all(parts):
            self.problems.append(
                f"{name} has nothing on one side of its bar: one secret needs none"
            )
        if len(parts) > 2:
            self.problems.append(f"{name} has more than one bar: two secrets hold at once, no more")
        return "|".join(parts)

    def address(self, name: str, meaning: str, default: str) -> str:
        """A URL. Who calls, and what its query says, is redacted as a secret is."""
        value = self.text(name, meaning, default)
        self.redact(*secrets_of(value))
        return value

    def redact(self, *secrets: str) -> None:
        """Keep these out of the log: secrets that are parts of a value, or not in it."""
        self.redacted |= {*secrets, *(quote(secret, safe="") for secret in secrets)} - {""}

    def entries(self, name: str, meaning: str, default: str = "") -> list[str]:
        """What stands between commas."""
        parts = map(str.strip, self.text(name, meaning, default).split(","))
        return [part for part in parts if part]

    def networks(self, name: str, meaning: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """Addresses and networks, with commas."""
        try:
            return tuple(ip_network(each, strict=False) for each in self.entries(name, meaning))
        except ValueError:
            form = "addresses or networks such as 192.0.2.0/24, with commas"
            self.problems.append(f"{name} must be {form}")
            return ()

    def number(self, name: str, meaning: str, default: int, low: int, high: int) -> int:
        return int(self.decimal(name, meaning, default, low, high, whole=True))

    def decimal(
        self,
        name: str,
        meaning: str,
        default: float,
        low: float,
        high: float,
        *,
        whole: bool = False,
    ) -> float:
        """A number from ``low`` to ``high``; ``default``, with a problem noted, if it isn't."""
        text = self.text(name, meaning, f"{default:g}")
        try:
            value = float(int(text)) if whole else float(text)
        except ValueError:
            value = float("nan")
        if low <= value <= high:
            return value
        kind = "a whole number" if whole else "a number"
        self.problems.append(f"{name} must be {kind} from {low:g} to {high:g}")
        return default

    def choice(self, name: str, meaning: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, meaning, default).lower()
        if value in choices:
            return value
        self.problems.append(f"{name} must be one of: {', '.join(choices)}")
        return default

    def switch(self, name: str, meaning: str, default: bool) -> bool:
        value = _SWITCH.get(self.text(name, meaning, "on" if default else "off").lower())
        if value is None:
            self.problems.append(f"{name} must be on or off")
        return default if value is None else value


def secrets_of(address: str) -> set[str]:
    """Who calls, and what the query says; a short value may be a part of words that are none."""
    try:
        found = urlsplit(address)
    except ValueError:
        return set()
    values = {value for _, value in parse_qsl(found.query)}
    user = found.netloc.rpartition("@")[0].partition(":")[2]
    return {value for value in {*values, user, unquote(user)} if len(value) > _SHORT}
