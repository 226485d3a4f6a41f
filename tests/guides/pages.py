"""What stands on a page, for tests that run it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.system import TOOLS

ROOT = Path(__file__).parents[2]


def page(name: str) -> str:
    """The text of a page in `docs`."""
    return (ROOT / "docs" / name).read_text()


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of this language, in their order."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


def table(text: str, first_heading: str) -> list[list[str]]:
    """The rows of the table whose first column has this heading."""
    lines = text.partition(f"\n| {first_heading} ")[2].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def with_packages(folder: Path) -> Path:
    """A folder whose scripts find the packages of `tests/tools`."""
    (folder / "node_modules").symlink_to(TOOLS / "node_modules")
    return folder
