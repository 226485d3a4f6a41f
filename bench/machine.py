"""What figures were measured on: no names of hosts, no paths."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

_GIB = 2**30


def describe(postgres: str) -> list[str]:
    """Of a machine with this Postgres, a line each."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    kernel = platform.release().partition("-")[0]
    return [
        f"{os.cpu_count()} processors, {_model()}; {memory:.0f} GiB of memory",
        f"{platform.system()} {kernel}, Python {platform.python_version()}, Postgres {postgres}",
        f"load average before: {os.getloadavg()[0]:.1f}",
    ]


def _model() -> str:
    """As Linux tells it; other systems tell less."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        found = None
    return found[1] if found else platform.machine()
