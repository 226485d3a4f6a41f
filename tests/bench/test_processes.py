"""CPU and memory of a server's processes."""

from __future__ import annotations

import os
import subprocess
import sys

from bench import processes


def test_a_name_with_blanks_and_brackets_is_no_field() -> None:
    line = "77 (a (b) c) S 12 77 77 0 -1 4194560 1 2 3 4 150 50 30 20 20 0 1 0 1 1 1"
    stat = processes.parse_stat(line)
    assert (stat.pid, stat.parent) == (77, 12)
    assert stat.cpu == 250 / os.sysconf("SC_CLK_TCK")


def test_a_tree_has_the_children_of_children() -> None:
    nested = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", nested], stdin=subprocess.PIPE) as child:
        try:
            while len(found := processes.tree(child.pid)) < 2:
                assert child.poll() is None
            assert found[0].pid == child.pid
            assert found[1].parent == child.pid
            assert processes.memory_mib(child.pid) > 1
        finally:
            assert child.stdin
            child.stdin.close()
