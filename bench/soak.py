"""Whether memory stays what it is over a million requests: ``python -m bench.soak``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import command, postgres, service, wrk
from bench.progress import say
from bench.running import Running
from bench.targets import MEMORY_MIB
from bench.wrk import Ask

CONNECTIONS = 16
EVERY = 50_000  # requests
FIRST_SECONDS = 10  # until it is known how fast it is
GROWTH_MIB = 3.0  # in the last third


def main() -> int:
    options = _options()
    if not wrk.is_installed():
        return 2
    return command.exit_code(lambda: _soak(options.requests, options.server))


def judge(samples: Sequence[float]) -> list[str]:
    """What is wrong with the memory, of samples in MiB that are as far from each other."""
    failures = []
    if samples[-1] >= MEMORY_MIB:
        failures.append(f"{samples[-1]:.0f} MiB in the end; {MEMORY_MIB:.0f} are too much")
    grown = samples[-1] - samples[len(samples) * 2 // 3]
    if grown > GROWTH_MIB:
        failures.append(f"{grown:.1f} MiB more than when two thirds were done")
    return failures


def _soak(requests: int, name: str) -> list[str]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="otp-bench-")))
        url = stack.enter_context(postgres.own_server(requests // 2))
        store = service.make_store(folder / "postgres", postgres.make_database(url, "otp_bench"))
        found = stack.enter_context(store.serving(1, name))
        samples, errors = _samples(found, store.keys, requests)
        return judge(samples) + ([f"{errors} errors"] if errors else [])


def _samples(found: Running, keys: Sequence[str], requests: int) -> tuple[list[float], int]:
    """MiB after the first few and after each `EVERY` requests; and how many errors there were."""
    samples: list[float] = []
    done, errors, number, seconds = 0, 0, 0, FIRST_SECONDS
    while done < requests:
        load = wrk.run(Ask("cycle", found.port, keys, first=number), CONNECTIONS, seconds)
        if load.failed:
            say(f"  {load.failed} errors, such as {load.example or dict(load.errors)}")
        done, errors, number = done + load.requests, errors + load.failed, load.next_number
        samples.append(found.memory)
        seconds = max(1, round(min(EVERY, requests - done) / load.rate))
        print(f"{done:>10,} requests   {samples[-1]:6.1f} MiB   {load.rate:5.0f}/s", flush=True)
    return samples, errors


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.soak",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Ask one process on Postgres for sends and checks, and look at its memory.\n"
        f"Exits with 1 if that ends at {MEMORY_MIB:.0f} MiB or grows in the last third by more "
        f"than {GROWTH_MIB:.0f}.",
        epilog="""examples:
  .venv/bin/python -m bench.soak                      half an hour or more, 2 GB of disk
  .venv/bin/python -m bench.soak --requests 200000""",
    )
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--server", default="waitress")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
