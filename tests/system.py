"""System packages that some tests need: said when missing, an error where all must run (CI)."""

from __future__ import annotations

import os
import shutil
from ctypes.util import find_library

import pytest


def need_program(*names: str, package: str) -> str:
    """The path of the first of these programs that is there."""
    for name in names:
        if path := shutil.which(name):
            return path
    return _missing(package)


def need_library(name: str, package: str) -> None:
    if find_library(name) is None:
        _missing(package)


def _missing(package: str) -> str:
    """Skip the test; with TEST_REQUIRE_ALL=1, as in CI, fail it."""
    reason = f"{package} is not installed: apt-get install {package}"
    if os.environ.get("TEST_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
