"""How long calls take."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import sqlalchemy as sa

from bench.progress import say
from otp_service.domain.errors import CodeIncorrect, StorageUnavailable
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person

ROUNDS = 5
JUDGED = ("send", "verify, wrong code", "verify, right code")
BARE_COMMIT = "(a bare commit)"  # what the disk takes by itself, to tell its noise from ours
Samples = dict[str, list[float]]


@dataclass(frozen=True)
class Subject:
    """A service on a database with so many old verifications, and people new to it."""

    rows: int
    service: OtpService
    engine: sa.Engine
    people: Iterator[Person]


@dataclass(frozen=True)
class Latency:
    """Of the best round, in milliseconds; ``medians`` of all rounds show the noise."""

    median: float
    p95: float
    medians: tuple[float, ...]


Latencies = dict[str, Latency]


def measure(subjects: Sequence[Subject], calls: int) -> list[Latencies]:
    """So many calls of each kind to each subject, in `ROUNDS` rounds after one that warms up.

    The subjects take turns, so that what else the machine does happens to all of them.
    """
    rounds = [_round(subjects, calls // ROUNDS) for _ in range(ROUNDS + 1)]
    return [_latencies(its_rounds) for its_rounds in zip(*rounds[1:], strict=True)]


def _round(subjects: Sequence[Subject], calls: int) -> list[Samples]:
    all_samples: list[Samples] = [defaultdict(list) for _ in subjects]
    for _ in range(calls):
        for subject, samples in zip(subjects, all_samples, strict=True):
            try:
                _one(subject, next(subject.people), samples)
            except StorageUnavailable:  # told with the results, since it has no time to count
                print(f"with {subject.rows:,} rows a call was not answered in time", flush=True)
    for subject, samples in zip(subjects, all_samples, strict=True):
        medians = (f"{kind} {statistics.median(times):.2f} ms" for kind, times in samples.items())
        say(f"  {subject.rows:>12,} rows: {', '.join(medians)}")
    return all_samples


def _one(subject: Subject, person: Person, samples: Samples) -> None:
    service = subject.service
    with _timed(samples, JUDGED[0]):
        sent = service.send(person)
    code = sent.exposed_code
    assert code
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    with _timed(samples, JUDGED[1]), suppress(CodeIncorrect):
        service.verify(person, wrong)
    with _timed(samples, JUDGED[2]):
        service.verify(person, code)
    with subject.engine.connect() as connection, _timed(samples, BARE_COMMIT):
        connection.exec_driver_sql("SELECT pg_logical_emit_message(true, 'bench', 'x')")


@contextmanager
def _timed(samples: Samples, kind: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    samples[kind].append((time.perf_counter() - began) * 1000)


def _latencies(rounds: Sequence[Samples]) -> Latencies:
    return {kind: _best([samples[kind] for samples in rounds]) for kind in rounds[0]}


def _best(rounds: list[list[float]]) -> Latency:
    """Other work on the machine only ever makes a round slower, so the fastest tells most."""
    best = min(rounds, key=statistics.median)
    medians = tuple(statistics.median(samples) for samples in rounds)
    return Latency(min(medians), statistics.quantiles(best, n=20)[-1], medians)
