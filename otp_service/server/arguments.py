"""`python wsgi.py --help`, `--version`: no other arguments, and what it takes instead."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence

from otp_service.environment import Variable
from otp_service.settings import variables
from otp_service.version import VERSION

_COLUMN = 36

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
    """Exits with 0 after the help or the version, with 2 if anything else is given."""
    if not given:
        return
    parser = argparse.ArgumentParser(
        prog="python wsgi.py",
        description="Serve the OTP service until SIGTERM or SIGINT. It takes no arguments.",
        epilog=_EXAMPLES + _settings(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=VERSION)
    parser.parse_args(given)


def _settings() -> str:
    """A line or two of each, by name."""
    return "\n".join(map(_line, sorted(variables({}).values(), key=lambda each: each.name)))


def _line(variable: Variable) -> str:
    default = f" ({variable.default})" if variable.default else ""
    name = f"  {variable.name}".ljust(_COLUMN)
    return textwrap.fill(
        variable.meaning + default,
        100,
        initial_indent=name,
        subsequent_indent=" " * _COLUMN,
        break_long_words=False,
        break_on_hyphens=False,
    )
