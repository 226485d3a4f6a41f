"""`python wsgi.py --help`: it takes no arguments, and says what it takes instead."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from otp_service.settings import Settings

_EXAMPLES = """\
examples:
  .venv/bin/python wsgi.py                    the sandbox, on http://127.0.0.1:8000
  PORT=9000 .venv/bin/python wsgi.py          on another port; 0 is any that is free
  HOST=0.0.0.0 WEB_CONCURRENCY=4 .venv/bin/python wsgi.py
                                              for other machines, in four processes
  DATABASE_URL=postgresql://USER:PASSWORD@HOST:5432/NAME .venv/bin/python wsgi.py
                                              with Postgres; ./otp init-db first
  ./otp --help                                everything else: keys, checks, retention, support

settings, from the environment and from .env; env.example explains each:
"""


def parse(given: Sequence[str]) -> None:
    """Exits with 0 after the help, with 2 if anything else is given."""
    if not given:
        return
    parser = argparse.ArgumentParser(
        prog="python wsgi.py",
        description="Serve the OTP service until SIGTERM or SIGINT. It takes no arguments.",
        epilog=_EXAMPLES + _names(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args(given)


class _Asked(dict[str, str]):
    """An empty environment that notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return default


def _names() -> str:
    """Of all settings there are: those that are asked for where none is set."""
    with TemporaryDirectory() as folder:
        Settings.from_env(asked := _Asked(), Path(folder))
    unused = {"SUPABASE_URL"}  # is asked for only to say so
    names = " ".join(sorted(asked.names - unused))
    return textwrap.fill(names, 90, initial_indent="  ", subsequent_indent="  ")
