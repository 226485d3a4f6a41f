"""How fast the service is, beside bare Flask on the same machine: ``python -m bench.load``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench import command, machine, postgres, slow_provider, table, targets, wrk
from bench.measuring import Measuring, Plan
from bench.progress import say
from bench.results import Results

SUBJECTS = ("flask", "floor", "check", "cycle", "sqlite", "slow")
CROWD = 256  # connections
TITLE = "# The last whole run of `make bench`"
FOLDER = Path(__file__).parent
RESULTS = {"waitress": "RESULTS.md", "granian": "RESULTS-granian.md"}


def main() -> int:
    options = _options()
    if not wrk.is_installed():
        return 2
    return command.exit_code(lambda: _missed(_plan(options), keep=options.results))


def _missed(plan: Plan, *, keep: bool) -> list[str]:
    """The targets that are; the whole is printed, and a whole run kept if ``keep``."""
    began = time.monotonic()
    described, results = _measure(plan)
    verdicts = targets.judge(results, plan.server)
    text = table.page(described, results, verdicts)
    print(text)
    if plan == _plan(_options(["--server", plan.server])) and keep:
        (FOLDER / RESULTS[plan.server]).write_text(f"{TITLE}\n\n{text}")
    say(f"after {time.monotonic() - began:.0f} s")
    return [each.what for each in verdicts if not each.met]


def _measure(plan: Plan) -> tuple[list[str], Results]:
    """And on what."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="otp-bench-")))
        url = stack.enter_context(postgres.own_server(0))
        described = machine.describe(postgres.version(url))
        measuring = Measuring(plan, folder, url)
        for number in range(plan.rounds):
            say(f"round {number + 1} of {plan.rounds}")
            measuring.round()
        if 64 in plan.connections:
            measuring.crowd(CROWD)
        if "slow" in plan.subjects:
            slow_provider.measure(measuring)
        return described, measuring.results


def _plan(options: argparse.Namespace) -> Plan:
    return Plan(
        subjects=tuple(options.only),
        processes=tuple(options.processes),
        connections=tuple(options.connections),
        server=options.server,
        rounds=options.rounds,
        seconds=options.seconds,
    )


def _options(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.load",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measure checks and cycles (a send and its check; both count) with wrk, and\n"
        "compare them with bare Flask and one UPDATE on plain waitress, the floor. Exits with 1\n"
        "if a target is missed, with 2 if wrk is missing.",
        epilog="""examples:
  .venv/bin/python -m bench.load                  all of it, about 10 minutes
  .venv/bin/python -m bench.load --only floor check --processes 1 --connections 16 \\
      --rounds 1 --seconds 3                      one figure in 20 seconds
  .venv/bin/python -m bench.load --only floor cycle --rounds 5 --seconds 10
  .venv/bin/python -m bench.load --only slow --rounds 0
  .venv/bin/python -m bench.load --server granian

RESULTS.md, or RESULTS-granian.md, is written by a whole run only.""",
    )
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=SUBJECTS, metavar="SUBJECT",
        help=f"of {', '.join(SUBJECTS)}")  # fmt: skip
    parser.add_argument("--processes", nargs="+", type=int, default=[1, 2], help="default 1 2")
    parser.add_argument("--connections", nargs="+", type=int, default=[16, 64],
        help=f"default 16 64; with 64 also {CROWD}, once")  # fmt: skip
    parser.add_argument("--server", default="waitress", choices=list(targets.SHARES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement; default 5")
    parser.add_argument("--no-results", dest="results", action="store_false",
        help="leave RESULTS.md as it is")  # fmt: skip
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())
