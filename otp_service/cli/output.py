"""Tables, and times in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

import click

from otp_service.observability.log_redaction import one_line


def show_table(headings: Sequence[str], table: Sequence[Sequence[str | None]]) -> None:
    """In columns as wide as they need to be, below their headings.

    Whatever a cell holds, it begins no line and moves no cursor.
    """
    cells = [[heading.replace("_id", "").upper() for heading in headings]]
    cells += [[one_line(cell) if cell else "-" for cell in row] for row in table]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


def minute(time: datetime) -> str:
    """In UTC, as tables have it."""
    return f"{time.astimezone(timezone.utc):%Y-%m-%d %H:%M}"
