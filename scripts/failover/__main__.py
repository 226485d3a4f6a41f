"""``python -m scripts.failover``, which scripts/failover-test.sh calls on the service's machine."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from scripts.failover.cluster import Surprise, until
from scripts.failover.events import EVENTS, NO_FAILOVER, Scene
from scripts.failover.figures import HEAD, Window, figures_of, in_postgres
from scripts.failover.network import Machine
from scripts.failover.service import SIMULATOR, Service
from scripts.failover.stage import WAYS, Stage
from scripts.failover.verdict import Checks, Witness
from scripts.load.caller import Caller
from scripts.load.load import Load
from scripts.load.phones import Phones

CALM = 4.0  # seconds of load before each event
RIGHT = (
    "SELECT verification_id, count(*) FROM {}"
    " WHERE action = 'verification.checked' AND detail = 'right' GROUP BY 1"
)
DRAINS_IN = 200.0  # seconds: a code's life, and what people wait for

Watched = list[tuple[Service, Witness]]


def main() -> int:
    options = _options()
    named = dict(each.split("=") for each in options.machines)
    machines = {name: Machine(f"{options.prefix}-{name}", at) for name, at in named.items()}
    stage, checks = Stage(machines, Path(options.folder), options.ways), Checks()
    try:
        stage.start()
        watched, windows = _run(stage, options.events, options.rate)
        for service, witness in watched:
            _judge(checks, stage, service, witness, windows)
    except Surprise as surprise:
        print(f"FAILED {surprise}")
        checks.failed += 1
    print(f"failover-test: {checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


def _run(stage: Stage, events: list[str], rate: float) -> tuple[Watched, list[Window]]:
    """Each event under load, with a line of figures for each service."""
    phones = Phones(SIMULATOR)
    windows = []
    with ExitStack() as stack:
        watched = []
        for service in stage.services:
            load = stack.enter_context(Load(service.url, service.keys, phones, rate))
            support = Caller(service.url, service.support, load.journal)
            watched.append((service, Witness(service.name, load, support)))
        print(f"{'event':12} {'way':8}   took {HEAD}", flush=True)
        for name in events:
            time.sleep(CALM)
            windows.append(_try_event(stage, name, watched))
        time.sleep(CALM)
    return watched, windows


def _try_event(stage: Stage, name: str, watched: Watched) -> Window:
    began = time.monotonic()
    EVENTS[name](Scene(stage.cluster, stage.app))
    until(stage.cluster.is_whole, f"{name}: the cluster is whole again")
    for service, witness in watched:
        _wait_for_postgres(service.name, witness.load)
    window = Window(name, began, time.monotonic(), name not in NO_FAILOVER)
    for service, witness in watched:
        lost = witness.look(began - CALM)
        row = figures_of(witness.load, window, lost).row()
        print(f"{name:12} {service.name:8} {window.ended - began:6.1f} {row}", flush=True)
    return window


def _wait_for_postgres(name: str, load: Load) -> None:
    """Until it takes all new codes for a whole second."""

    def takes_all() -> bool:
        since = time.monotonic()
        time.sleep(1)
        sends = load.journal.since(since, lambda each: each.what == "send")
        return bool(sends) and all(map(in_postgres, sends))

    until(takes_all, f"{name}: codes in Postgres again")


def _judge(
    checks: Checks, stage: Stage, service: Service, witness: Witness, windows: list[Window]
) -> None:
    witness.look()
    told = map(str, witness.load.journal.since(0.0))
    (service.folder / "answers").write_text("\n".join(told))  # for who asks why, with --keep
    witness.judge(checks, windows)
    trails = [
        stage.cluster.the_leader().sql(RIGHT.format("otp_service.audit"), service.name),
        service.fallback_sql(RIGHT.format("audit")),
    ]
    twice = [each for trail in trails for each in trail if each[1] > 1]
    right = " and ".join(str(len(trail)) for trail in trails)
    checks.that(f"{service.name}: {right} in the audit trails of both homes, none twice", twice)
    checks.that(f"{service.name}: and none of these trails is empty", [t for t in trails if not t])
    try:
        until(lambda: service.ready().get("fallback") == "standby", "standby", DRAINS_IN)
        state: list[object] = []
    except Surprise:
        state = [service.ready()]
    checks.that(f"{service.name}: in the end the fallback has drained", state)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.failover")
    parser.add_argument("--folder", required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--machines", nargs="+", required=True)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--events", nargs="+", choices=list(EVENTS), default=list(EVENTS))
    parser.add_argument("--rate", type=float, default=35.0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
