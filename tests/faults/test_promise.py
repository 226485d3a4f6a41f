"""In no sequence of faults is the promise broken; and where it is, the test finds it."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from otp_service.storage.db import database
from otp_service.storage.homes import Homes
from tests.faults.cluster import Cluster
from tests.faults.model import Broken
from tests.faults.promise import Promise
from tests.faults.proxy import Proxy
from tests.faults.reality import Reality
from tests.faults.wrong_homes import CopyingHomes, ForgetfulHomes, RetryingHomes

FINDS_THEM_SOON = 3  # this seed; with others it took up to a minute, or more than 150 sequences
COMMON = settings(
    database=None,
    deadline=None,
    stateful_step_count=40,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def reality(
    cluster: Cluster, proxy: Proxy, urls: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Reality]:
    monkeypatch.setattr(database, "PROBE_SECONDS", 0.02)
    monkeypatch.setattr(Homes, "drain", lambda self: None)  # the machine decides when
    reality = Reality(cluster, proxy, urls)
    yield reality
    reality.close()


def try_sequences(reality: Reality, seed: int, how: settings) -> None:
    """Always the same ones, for a seed."""

    @hypothesis.seed(seed)
    class Here(Promise):
        def __init__(self) -> None:
            super().__init__(reality)

    run_state_machine_as_test(Here, settings=how)


def test_in_no_sequence_of_faults_is_the_promise_broken(reality: Reality) -> None:
    try_sequences(reality, 1, settings(COMMON, max_examples=100))


@pytest.mark.parametrize("wrong", [CopyingHomes, ForgetfulHomes, RetryingHomes])
def test_homes_that_break_the_promise_are_found_out(reality: Reality, wrong: type[Homes]) -> None:
    reality.homes = wrong
    unshrunk = settings(
        COMMON, max_examples=150, phases=[Phase.generate], report_multiple_bugs=False
    )
    with pytest.raises(Broken):
        try_sequences(reality, FINDS_THEM_SOON, unshrunk)
