"""What some tests need beyond Python: said when missing, an error where all must run (CI)."""

from __future__ import annotations

import os
import shutil
from ctypes.util import find_library
from pathlib import Path

import playwright
import pytest

TOOLS = Path(__file__).parent / "tools"


def need_program(*names: str, package: str) -> str:
    """The path of the first of these programs that is there."""
    for name in names:
        if path := shutil.which(name):
            return path
    return _missing(_apt(package))


def need_library(name: str, package: str) -> None:
    if find_library(name) is None:
        _missing(_apt(package))


def node() -> str:
    """Playwright's own Node.js: new enough for the tools, whatever the machine has."""
    need_library("atomic", package="libatomic1")
    return str(Path(playwright.__file__).parent / "driver" / "node")


def need_tool(path: str) -> Path:
    """A file of the packages that `tests/tools/package.json` pins."""
    found = TOOLS / "node_modules" / path
    if not found.exists():
        _missing(f"{path} is not installed: npm ci --ignore-scripts --prefix tests/tools")
    return found


def _apt(package: str) -> str:
    return f"{package} is not installed: apt-get install {package}"


def _missing(reason: str) -> str:
    """Skip the test; with TEST_REQUIRE_ALL=1, as in CI, fail it."""
    if os.environ.get("TEST_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
