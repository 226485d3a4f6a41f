"""docs/deploying.md: the lines after which a root shell runs the commands of other pages."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
BLOCKS = re.findall(r"```bash\n(.*?)```", (DOCS / "deploying.md").read_text(), re.DOTALL)
(LINES,) = [block for block in BLOCKS if block.startswith("as_otp()")]

SETPRIV = """#!/bin/sh
[ "$1 $3 $5" = "--reuid --regid --init-groups" ] && who=$2 && shift 5
echo "$who: $*, with ${DATABASE_URL-the settings}"
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """With a `setpriv` that says what it is asked to run, and nothing else of Postgres or ours."""
    said = tmp_path / "setpriv"
    said.write_text(SETPRIV)
    said.chmod(0o755)
    return f"{tmp_path}:{os.environ['PATH']}"


def shell(path: str, folder: Path, lines: str) -> list[str]:
    ran = subprocess.run(
        ["bash", "-c", f"{LINES}\nDATABASE_URL=postgresql://its\n{lines}"],
        cwd=folder,
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.splitlines()


@pytest.mark.parametrize("program", ["psql", "pg_dump", "pg_restore"])
def test_postgres_programs_are_run_by_the_services_account(
    path: str, tmp_path: Path, program: str
) -> None:
    told = shell(path, tmp_path, f'{program} -c ANALYZE "$DATABASE_URL"')
    assert told == [f"otp: {program} -c ANALYZE postgresql://its, with the settings"]


def test_a_command_of_a_loop_is_run_by_it_with_the_database_it_is_given(
    path: str, tmp_path: Path
) -> None:
    loop = 'echo shop | while read -r name; do ./otp keys revoke "$name" < /dev/null; done'
    other = "DATABASE_URL=sqlite:////kept ./otp keys list"
    assert shell(path, tmp_path, f"{loop}\n{other}\n./otp check") == [
        "otp: /opt/otp/otp keys revoke shop, with the settings",
        "otp: /opt/otp/otp keys list, with sqlite:////kept",
        "otp: /opt/otp/otp check, with the settings",
    ]


def test_every_program_that_the_page_of_backups_calls_is_among_them() -> None:
    page = "".join(re.findall(r"```bash\n(.*?)```", (DOCS / "backup.md").read_text(), re.DOTALL))
    called = set(
        re.findall(r"^(?:DATABASE_URL=\S+ )?(psql|pg_dump|pg_restore|\./otp) ", page, re.M)
    )
    assert called == set(re.findall(r"^(\S+)\(\)", LINES, re.MULTILINE)) - {"as_otp"}
