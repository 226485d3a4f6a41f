"""How fast the service is, beside bare Flask on the same machine: ``python -m bench.load``."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import running, server, table, targets, wrk
from bench.measuring import Measuring, Plan
from bench.results import Results
from bench.server import say

SUBJECTS = ("flask", "floor", "check", "cycle", "sqlite")


def main() -> int:
    plan = _plan(_options())
    if shutil.which("wrk") is None:
        say("wrk is not installed. On Debian and Ubuntu: apt-get install wrk")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and no server stays
    try:
        results = _measure(plan)
    except (server.Unusable, running.Broken, wrk.Failed) as reason:
        say(f"FAILED: {reason}")
        return 1
    verdicts = targets.judge(results, plan.server)
    print(table.figures(results), table.verdicts(verdicts), sep="\n\n")
    missed = [each for each in verdicts if not each.met]
    print(f"\n{len(verdicts) - len(missed)} of {len(verdicts)} targets met")
    return 1 if missed else 0


def _measure(plan: Plan) -> Results:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="otp-bench-")))
        url = stack.enter_context(server.own_server(0))
        measuring = Measuring(plan, folder, url)
        for number in range(plan.rounds):
            say(f"round {number + 1} of {plan.rounds}")
            measuring.round()
        return measuring.results


def _plan(options: argparse.Namespace) -> Plan:
    return Plan(
        subjects=tuple(options.only),
        processes=tuple(options.processes),
        connections=tuple(options.connections),
        server=options.server,
        rounds=options.rounds,
        seconds=options.seconds,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.load",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measure checks and cycles (a send and its check; both count) with wrk, and\n"
        "compare them with bare Flask and one UPDATE on plain waitress, the floor.",
        epilog="""examples:
  .venv/bin/python -m bench.load                  all of it, about 10 minutes
  .venv/bin/python -m bench.load --only floor check --processes 1 --connections 16 --rounds 1
                                                  one figure in 20 seconds
  .venv/bin/python -m bench.load --only floor cycle --seconds 10 --rounds 5
  .venv/bin/python -m bench.load --server granian --processes 2""",
    )
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=SUBJECTS, metavar="SUBJECT",
        help=f"of {', '.join(SUBJECTS)}")  # fmt: skip
    parser.add_argument("--processes", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--connections", nargs="+", type=int, default=[16, 64])
    parser.add_argument("--server", default="waitress", choices=list(targets.SHARES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
