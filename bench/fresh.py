"""Whether a new database is slow at first: ``python -m bench.fresh``.

Postgres plans by what it knows of tables, and of new ones it knows nothing, or that they are empty.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import command, postgres, service, wrk
from bench.progress import say
from bench.service import Store
from bench.wrk import Ask, Load

CONNECTIONS = 16
WINDOW_SECONDS = 10
LATER = 6  # windows after the first minutes, which tell what is usual
WARM_SECONDS = 2  # until each thread has its connection
MOST = 1.5  # times the later latency


def main() -> int:
    options = _options()
    if not wrk.is_installed():
        return 2
    return command.exit_code(lambda: _both(options.minutes))


def judge(name: str, medians: Sequence[float]) -> list[str]:
    """Of windows, in order, the last `LATER` of them are what is usual."""
    usual = statistics.median(medians[-LATER:])
    worst = max(medians[:-LATER])
    told = f"{name}: {worst:.1f} ms at first, {usual:.1f} ms later: {worst / usual:.2f} times"
    print(told, flush=True)
    return [told] if worst > MOST * usual else []


def _both(minutes: int) -> list[str]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="otp-bench-")))
        url = stack.enter_context(postgres.own_server(0))
        failures = []
        for name, analyzed in (("never analyzed", False), ("analyzed while empty", True)):
            short = "analyzed" if analyzed else "fresh"
            database = postgres.make_database(url, f"otp_bench_{short}")
            store = service.make_store(folder / short, database)
            if analyzed:
                postgres.execute(database, "ANALYZE")
            loads = _loads(store, minutes * 60 // WINDOW_SECONDS + LATER)
            failures += judge(name, [each.p50 for each in loads])
            if errors := sum(each.failed for each in loads):
                failures.append(f"{name}: {errors} errors")
    return failures


def _loads(store: Store, windows: int) -> list[Load]:
    """Of each window."""
    loads: list[Load] = []
    number = 0
    with store.serving(1, "waitress") as found:
        for seconds in (WARM_SECONDS, *[WINDOW_SECONDS] * windows):
            ask = Ask("cycle", found.port, store.keys, first=number)
            load = wrk.run(ask, CONNECTIONS, seconds)
            number = load.next_number
            loads.append(load)
            errors = f"   {load.failed} errors, such as {load.example}" if load.failed else ""
            say(f"  {load.rate:5.0f}/s   median {load.p50:.1f} ms{errors}")
    return loads[1:]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.fresh",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measure sends and checks on a new Postgres database that was never analyzed,\n"
        "and on one that was while it was empty. Exits with 1 if their median in any\n"
        f"{WINDOW_SECONDS} seconds at first is more than {MOST} times what it is in the minute "
        "after.",
        epilog="""examples:
  .venv/bin/python -m bench.fresh                     eight minutes
  .venv/bin/python -m bench.fresh --minutes 1""",
    )
    parser.add_argument("--minutes", type=int, default=3, help="which are at first; default 3")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
