"""What is printed of `Results`, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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


def figures(results: Results) -> str:
    """A line a case: medians of its rounds; CPU is of one request."""
    order = sorted(results.figures, key=lambda each: each.subject not in FLOORS)
    return _table(_HEAD, [_row(results, case) for case in order])


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


def slow(results: Results) -> str:
    return _table(
        ("slow provider", ""), [[name, _number(found, 1)] for name, found in results.slow.items()]
    )


def verdicts(found: Iterable[Verdict]) -> str:
    rows = []
    for each in found:
        bound = f"{'≥' if each.at_least else '≤'} {each.bound:g}"
        rows.append([each.what, f"{each.found:.3g}", bound, "met" if each.met else "**missed**"])
    return _table(("target", "found", "bound", ""), rows)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
