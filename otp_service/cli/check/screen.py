"""How the findings of a check are shown: plain lines, and on a terminal with colours."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

import click

from otp_service.cli.check.findings import Finding, Mark
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
    amounts = [counted(counts[mark], mark.value) for mark in (Mark.PROBLEM, Mark.WARNING)]
    worst = next((m for m in (Mark.PROBLEM, Mark.WARNING) if counts[m]), Mark.OK)
    click.echo()
    click.secho(f"{counts[Mark.OK]} ok, {', '.join(amounts)}.", fg=_COLOURS[worst], bold=True)


class Screen:
    """A `Watcher`: a line for each step, and on a terminal one that moves while nothing comes."""

    def __init__(self, wait: float) -> None:
        self._wait = wait
        self._moves = sys.stdout.isatty()
        self._turn = 0
        self.text = ""

    def step(self, seconds: float, text: str) -> None:
        self.clear()
        self.text += text
        click.echo(f"  {seconds:5.1f} s  {text}")

    def waiting(self, seconds: float) -> None:
        if self._moves:
            self._turn += 1
            sign = "|/-\\"[self._turn % 4]
            click.echo(f"\r  {seconds:5.1f} s  {sign} waiting, up to {self._wait:g} s ", nl=False)

    def clear(self) -> None:
        if self._moves:
            click.echo("\r\033[K", nl=False)
