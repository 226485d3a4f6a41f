"""What the tests of the store do again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import CodeIncorrect, OtpError
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person
from otp_service.storage.models.deliveries import DeliveryRow, ProviderEventRow, ReceiptRow
from otp_service.storage.models.events import EventRow
from otp_service.storage.models.limits import PhoneRow, RequestSlotRow
from otp_service.storage.models.verifications import (
    AttemptRow,
    CodeRow,
    SealedCodeRow,
    VerificationRow,
)

ROWS_WITH_TIMES = (
    VerificationRow,
    CodeRow,
    SealedCodeRow,
    AttemptRow,
    DeliveryRow,
    EventRow,
    ReceiptRow,
    ProviderEventRow,
    PhoneRow,
    RequestSlotRow,
)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"


def pass_time(engine: sa.Engine, seconds: float) -> None:
    """Let the clock run on by moving every row into the past."""
    with engine.begin() as connection:
        for row in ROWS_WITH_TIMES:
            columns = row.__table__.c
            for column in [c for c in columns if c.name.endswith("_at")]:
                keys = list(row.__table__.primary_key)
                times = sa.select(column, *keys).where(column.is_not(None))
                for time, *key in connection.execute(times).all():
                    earlier = {column.name: time - timedelta(seconds=seconds)}
                    this = [column == value for column, value in zip(keys, key, strict=True)]
                    connection.execute(sa.update(row).where(*this).values(earlier))


def wait_for_lock(engine: sa.Engine) -> int:
    """How many sessions of this Postgres do."""
    waiting = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(waiting).scalar_one())


def fail(service: OtpService, person: Person, code: str, times: int) -> None:
    for _ in range(times):
        with pytest.raises(CodeIncorrect):
            service.verify(person, wrong(code))


def race(*acts: Callable[[], object]) -> Counter[str]:
    """Do all at the same moment; count the outcomes: "ok" or the refusal's code."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], object]) -> str:
        barrier.wait()
        try:
            act()
        except OtpError as error:
            return error.code
        return "ok"

    with ThreadPoolExecutor(len(acts)) as pool:
        return Counter(pool.map(run, acts))
