"""What is told while it goes on."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Apart from the results: on standard error."""
    print(text, file=sys.stderr, flush=True)
