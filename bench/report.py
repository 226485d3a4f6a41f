"""What is printed, and what fails."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from bench.plans import Plan
from bench.timing import JUDGED, Latencies, Subject

MOST = 1.3  # times the median with the fewest rows


def compare(few: Subject, many: Subject, fast: Latencies, slow: Latencies) -> list[str]:
    """Print what was measured; which calls take too long with many rows."""
    failures = []
    _print(few, fast)
    _print(many, slow)
    print("times as long:")
    for kind, latency in slow.items():
        ratio = latency.median / fast[kind].median
        rounds = zip(latency.medians, fast[kind].medians, strict=True)
        each = " ".join(f"{now / then:.2f}" for now, then in rounds)
        p95 = latency.p95 / fast[kind].p95
        print(f"  {kind:<20} median {ratio:5.2f}   p95 {p95:5.2f}   in each round {each}")
        if kind in JUDGED and ratio > MOST:
            few_many = f"{many.rows:,} rows as with {few.rows:,}"
            failures.append(f"{kind} takes {ratio:.2f} times as long with {few_many}")
    sys.stdout.flush()
    return failures


def _print(subject: Subject, latencies: Latencies) -> None:
    with subject.engine.connect() as connection:
        query = "SELECT pg_size_pretty(pg_database_size(current_database()))"
        disk = connection.exec_driver_sql(query).scalar_one()
    print(f"\n{subject.rows:,} old verifications ({disk}), milliseconds:")
    for kind, found in latencies.items():
        rounds = " ".join(f"{median:.2f}" for median in found.medians)
        print(f"  {kind:<20} median {found.median:5.2f}   p95 {found.p95:5.2f}   rounds {rounds}")


def judge(plans: Iterable[Plan]) -> list[str]:
    """Print the plans; what is wrong with them."""
    print("\nIndexes that each statement uses:")
    failures = []
    for plan in plans:
        print(f"  {plan}")
        failures += [f"{plan.call}: {plan.statement}: {fault}" for fault in plan.faults]
    return failures
