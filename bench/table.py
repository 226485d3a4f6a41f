"""What is printed of `Results`, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

from bench.results import FLOORS, Case, Results
from bench.targets import FLOOR, SQLITE_FLOOR, Verdict

_HEAD = (
    "",
    "processes",
    "connections",
    "requests/s",
    "of the floor",
    "p50 ms",
    "p99 ms",
    "server, CPU ms",
    "Postgres, CPU ms",
    "errors",
)


def _figures(results: Results) -> str:
    """A line a case: medians of its rounds; CPU is of one request."""
    order = sorted(results.figures, key=lambda each: each.subject not in FLOORS)
    return _table(_HEAD, [_row(results, case) for case in order])


def page(described: Sequence[str], results: Results, verdicts: Sequence[Verdict]) -> str:
    """All of it; ``described`` is the machine."""
    met = f"{sum(each.met for each in verdicts)} of {len(verdicts)} targets met"
    today = datetime.now(timezone.utc).date()
    lines = [f"- {line}" for line in (f"{today}: {met}", *described)]
    tables = [_figures(results)] if results.figures else []
    tables += [_slow_provider(results)] if results.slow else []
    return "\n\n".join(["\n".join(lines), *tables, _verdicts(verdicts)]) + "\n"


def _row(results: Results, case: Case) -> list[str]:
    bare = case.subject in FLOORS
    is_sqlite = case.subject.startswith("sqlite")
    share = results.ratio(case, SQLITE_FLOOR if is_sqlite else FLOOR)
    with_postgres = not is_sqlite and case.subject != "flask"
    return [
        case.subject,
        "" if bare else str(case.processes),
        str(case.connections),
        _number(results.median(case, lambda each: each.rate), 0),
        _number(share, 2),
        _number(results.median(case, lambda each: each.load.p50), 1),
        _number(results.median(case, lambda each: each.load.p99), 1),
        _number(results.median(case, lambda each: each.server_cpu), 2),
        _number(results.median(case, lambda each: each.postgres_cpu), 2) if with_postgres else "",
        str(results.failed(case)),
    ]


def _slow_provider(results: Results) -> str:
    """300 ms a message, then silence; beside those that only send one connection checks."""
    rows = [[name, _number(found, 1)] for name, found in results.slow.items()]
    return _table(("provider", "found"), rows)


def _verdicts(verdicts: Iterable[Verdict]) -> str:
    rows = []
    for each in verdicts:
        bound = f"{'≥' if each.at_least else '≤'} {each.bound:g}"
        rows.append(
            [
                each.what,
                _number(each.found, 2 if each.found < 100 else 0),
                bound,
                "met" if each.met else "**missed**",
            ]
        )
    return _table(("target", "found", "bound", ""), rows)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
