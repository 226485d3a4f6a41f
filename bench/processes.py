"""What a server's processes have taken, read from /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_MIB = 2**20 / os.sysconf("SC_PAGE_SIZE")
PROC = Path("/proc")


@dataclass(frozen=True)
class Stat:
    """``cpu`` is in seconds, that of children which ended included."""

    pid: int
    parent: int
    cpu: float


def parse_stat(text: str) -> Stat:
    """A line of /proc/PID/stat: the name in brackets may have blanks and brackets in it."""
    pid, _, rest = text.partition(" (")
    fields = rest.rpartition(")")[2].split()
    return Stat(int(pid), int(fields[1]), sum(map(int, fields[11:15])) / _TICKS)


def tree(root: int) -> list[Stat]:
    """This process and all below it."""
    children = defaultdict(list)
    found = {}
    for path in PROC.glob("[0-9]*/stat"):
        try:
            stat = parse_stat(path.read_text())
        except OSError:  # it has ended
            continue
        found[stat.pid] = stat
        children[stat.parent].append(stat.pid)
    pids = [root]
    for pid in pids:  # grows meanwhile
        pids += children[pid]
    return [found[pid] for pid in pids if pid in found]


def cpu_seconds(root: int) -> float:
    """Of the whole tree, since it began."""
    return sum(stat.cpu for stat in tree(root))


def memory_mib(root: int) -> float:
    """Resident memory of the largest process of the tree."""
    sizes = []
    for stat in tree(root):
        try:
            sizes.append(int((PROC / str(stat.pid) / "statm").read_text().split()[1]) / _MIB)
        except OSError:
            continue
    return max(sizes, default=0.0)
