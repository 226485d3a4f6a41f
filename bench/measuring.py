"""The order of things: each round measures every subject once, in turn."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import postgres, processes, running, service, wrk
from bench.progress import say
from bench.results import Case, Figures, Results, Served
from bench.running import Running
from bench.service import Store
from bench.wrk import Ask, Load

WARM_SECONDS = 2
PREPARING = 2.0  # times as long as checks take, sends take, until it is known
SPARE = 1.3  # more codes than the fastest run took


@dataclass(frozen=True)
class Plan:
    """What is measured, how often, and for how many seconds each."""

    subjects: tuple[str, ...]
    processes: tuple[int, ...]
    connections: tuple[int, ...]
    server: str
    rounds: int
    seconds: int


class Measuring:
    """On the Postgres whose server is at ``url``, and on files in ``folder``."""

    def __init__(self, plan: Plan, folder: Path, url: str) -> None:
        self.plan, self.results = plan, Results()
        self._folder, self._url = folder, url
        self._postgres = postgres.first_process(url)
        self._stores: dict[str, Store] = {}
        self._next_number = 0  # of the first phone that nobody used yet

    def round(self) -> None:
        """Each subject once."""
        subjects = set(self.plan.subjects)
        for kind in ("flask", "floor", "sqlite"):
            if kind in subjects:
                self._floor(kind)
        for count in self.plan.processes:
            if subjects & {"check", "cycle"}:
                self._service(self.store("postgres"), count)
            if "sqlite" in subjects:
                self._service(self.store("sqlite"), count)

    def crowd(self, connections: int) -> None:
        """Checks and cycles once more, from so many connections."""
        if not {"check", "cycle"} & set(self.plan.subjects):
            return
        for count in self.plan.processes:
            with self._serving(self.store("postgres"), count) as found:
                self._on_postgres(found, count, connections)

    def _floor(self, kind: str) -> None:
        path = str(self._folder / "floor.db")
        database = {"flask": None, "floor": self._url, "sqlite": path}[kind]
        case = Case("sqlite floor" if kind == "sqlite" else kind)
        log = self._folder / "floor.log"
        with running.floor(kind, log, database) as found:
            ask = Ask("get", found.port)
            wrk.run(ask, case.connections, 1)
            self._measure(case, found, ask)

    def store(self, name: str) -> Store:
        """Made when it is first needed."""
        if name not in self._stores:
            say(f"  making the service's {name} database")
            folder = self._folder / name
            url = f"sqlite:///{folder / 'otp.db'}"
            if name == "postgres":
                url = postgres.make_database(self._url, "otp_bench")
            self._stores[name] = service.make_store(folder, url)
        return self._stores[name]

    @contextmanager
    def _serving(self, store: Store, count: int) -> Iterator[Running]:
        """Warm, so that each thread has its connection; its memory is looked at in the end."""
        with store.serving(count, self.plan.server) as found:
            self.run(Ask("cycle", found.port, store.keys), 16, WARM_SECONDS)
            yield found
            self.results.served.append(Served(found.start, found.memory))

    def _service(self, store: Store, count: int) -> None:
        with self._serving(store, count) as found:
            for connections in self.plan.connections:
                if store is self._stores.get("sqlite"):
                    case = Case("sqlite cycle", count, connections)
                    self._measure(case, found, Ask("cycle", found.port, store.keys))
                else:
                    self._on_postgres(found, count, connections)

    def _on_postgres(self, found: Running, count: int, connections: int) -> None:
        keys = self.store("postgres").keys
        if "check" in self.plan.subjects:
            self._checks(found, Case("check", count, connections))
        if "cycle" in self.plan.subjects:
            self._measure(Case("cycle", count, connections), found, Ask("cycle", found.port, keys))

    def _checks(self, found: Running, case: Case) -> None:
        """Codes first, by sends, then their checks; again with more codes if they did not last."""
        keys, codes = self.store("postgres").keys, self._folder / "codes"
        spare = SPARE
        ask = Ask("check", found.port, keys, codes=codes)
        while True:
            count = self._prepare(found, case, spare, codes)
            before = self._cpu(found)
            load = self.run(ask, case.connections, self.plan.seconds)
            if not load.ran_out:
                self._keep(case, load, before, self._cpu(found))
                return
            say(f"  {count} codes were not enough for {case}: again, with more")
            spare *= 1.6

    def _prepare(self, found: Running, case: Case, spare: float, codes: Path) -> int:
        """Codes to check, in no order: how many. The sends are a case of their own."""
        pairs = self._folder / "pairs"
        ask = Ask("send", found.port, self.store("postgres").keys, pairs=pairs)
        sends = Case("send", case.processes)
        fastest = self.results.fastest(case.subject, case.processes)
        rate = self.results.median(sends, lambda each: each.rate)
        times = fastest / rate if fastest and rate else PREPARING
        seconds = times * self.plan.seconds * spare
        before = self._cpu(found)
        load = self.run(ask, sends.connections, math.ceil(seconds))
        if case.connections == sends.connections and spare == SPARE:  # once a round
            self._keep(sends, load, before, self._cpu(found))
        lines = pairs.read_text().splitlines()
        random.shuffle(lines)
        codes.write_text("\n".join(lines))
        return len(lines)

    def _measure(self, case: Case, found: Running, ask: Ask) -> None:
        before = self._cpu(found)
        load = self.run(ask, case.connections, self.plan.seconds)
        self._keep(case, load, before, self._cpu(found))

    def run(self, ask: Ask, connections: int, seconds: float) -> Load:
        """No phone is used twice."""
        load = wrk.run(ask._replace(first=self._next_number), connections, seconds)
        self._next_number = max(self._next_number, load.next_number)
        return load

    def _cpu(self, found: Running) -> tuple[float, float]:
        return found.cpu, processes.cpu_seconds(self._postgres)

    def _keep(
        self, case: Case, load: Load, before: tuple[float, float], after: tuple[float, float]
    ) -> None:
        cpu = [1000 * (now - then) / load.requests for then, now in zip(before, after, strict=True)]
        figures = Figures(load, *cpu)
        self.results.figures[case].append(figures)
        say(f"  {case}: {figures}")
