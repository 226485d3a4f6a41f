"""Reads typed values from an environment and collects every problem instead of the first."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click
from dotenv import dotenv_values

_SWITCH = {"on": True, "true": True, "yes": True, "1": True}
_SWITCH |= {"off": False, "false": False, "no": False, "0": False}


class SettingsError(click.ClickException):
    """The configuration can't work; ``problems`` has a line for each reason.

    A click exception, so that `flask otp …` and `python wsgi.py` print it and exit with 2.
    """

    exit_code = 2

    def __init__(self, problems: list[str]) -> None:
        lines = "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(f"the configuration has {len(problems)} problem(s):{lines}")
        self.problems = problems


def process_environment(folder: Path) -> dict[str, str]:
    """``.env`` in ``folder``, if there is one, overridden by the process's environment."""
    from_file = {k: v for k, v in dotenv_values(folder / ".env").items() if v is not None}
    return {**from_file, **os.environ}


class Reader:
    """Values by name. An empty value counts as unset. No problem ever quotes a value."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []
        self.warnings: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return self._environ.get(name, "").strip() or default

    def number(self, name: str, default: int, low: int, high: int) -> int:
        return int(self.decimal(name, default, low, high, whole=True))

    def decimal(
        self, name: str, default: float, low: float, high: float, *, whole: bool = False
    ) -> float:
        """A number from ``low`` to ``high``; ``default``, with a problem noted, if it isn't."""
        text = self.text(name)
        if not text:
            return default
        try:
            value = float(int(text)) if whole else float(text)
        except ValueError:
            value = float("nan")
        if low <= value <= high:
            return value
        kind = "a whole number" if whole else "a number"
        self.problems.append(f"{name} must be {kind} from {low:g} to {high:g}")
        return default

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default).lower()
        if value in choices:
            return value
        self.problems.append(f"{name} must be one of: {', '.join(choices)}")
        return default

    def switch(self, name: str, default: bool) -> bool:
        value = _SWITCH.get(self.text(name, "on" if default else "off").lower())
        if value is None:
            self.problems.append(f"{name} must be on or off")
        return default if value is None else value
