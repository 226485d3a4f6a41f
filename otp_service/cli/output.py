"""How the findings of a check are shown: plain lines, and on a terminal with colours."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone

import click

from otp_service.cli.check.findings import Finding, Mark
from otp_service.observability.log_redaction import one_line
from otp_service.wording import counted

_COLOURS = {Mark.OK: "green", Mark.WARNING: "yellow", Mark.PROBLEM: "red"}


def shown(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Each on a line as soon as it is known, and below it what to do."""
    for each in findings:
        mark = click.style(f"{each.mark.value:<8}", fg=_COLOURS[each.mark], bold=True)
        text = each.text.replace("\n", f"\n{'':8}   ")
        click.echo(f"{mark} {each.subject}: {text}")
        if each.advice:
            click.echo(f"{'':8}   {each.advice}")
        yield each


def summarize(found: list[Finding]) -> None:
    """The last line: how many of each."""
    counts = {mark: sum(each.mark is mark for each in found) for mark in Mark}
    told = [counted(counts[mark], mark.value) for mark in (Mark.PROBLEM, Mark.WARNING)]
    worst = next((m for m in (Mark.PROBLEM, Mark.WARNING) if counts[m]), Mark.OK)
    click.echo()
    click.secho(f"{counts[Mark.OK]} ok, {', '.join(told)}.", fg=_COLOURS[worst], bold=True)


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


class Screen:
    """A `Watcher`: a line for each step, and on a terminal one that moves while nothing comes."""

    def __init__(self, wait: float) -> None:
        self._wait = wait
        self._moves = sys.stdout.isatty()
        self._turn = 0
        self.told = ""

    def step(self, seconds: float, text: str) -> None:
        self.clear()
        self.told += text
        click.echo(f"  {seconds:5.1f} s  {text}")

    def waiting(self, seconds: float) -> None:
        if self._moves:
            self._turn += 1
            sign = "|/-\\"[self._turn % 4]
            click.echo(f"\r  {seconds:5.1f} s  {sign} waiting, up to {self._wait:g} s ", nl=False)

    def clear(self) -> None:
        if self._moves:
            click.echo("\r\033[K", nl=False)
