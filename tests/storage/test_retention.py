"""Forgetting in short steps: nobody waits for a cleanup, and a cleanup waits for nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person
from otp_service.storage import retention
from otp_service.storage.models.limits import PhoneRow
from otp_service.storage.models.verifications import VerificationRow
from tests.fakes import FakeSender
from tests.statements import recorded, transactions
from tests.storage.helpers import fail, pass_time

V = VerificationRow
ROWS = 1300


@pytest.fixture
def many(service: OtpService, person: Person, engine: sa.Engine) -> None:
    """So many overdue verifications, each like the one that was really issued."""
    service.send(person)
    with engine.begin() as connection:
        first = connection.execute(sa.select(*V.__table__.c)).one()._asdict()
        copies = [first | {"id": f"{first['id'][:20]}{number:05}"} for number in range(ROWS - 1)]
        connection.execute(sa.insert(V), copies)
        connection.execute(sa.update(V).values(expires_at=sa.func.from_now(-1)))


def test_a_cleanup_works_in_batches_and_marks_and_deletes_all(
    many: None, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = transactions(monkeypatch, engine)
    assert retention.cleanup(engine, days=30) == (ROWS, 0)
    with engine.begin() as connection:
        long_ago = sa.func.from_now(-31 * 86_400)
        connection.execute(sa.update(V).values(created_at=long_ago, expires_at=long_ago))
    batches.clear()
    assert retention.cleanup(engine, days=30) == (0, ROWS)
    assert max(rows for _, rows in batches) == retention.BATCH


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_cleanup_leaves_out_a_row_that_a_request_holds(many: None, engine: sa.Engine) -> None:
    with engine.connect() as other:
        held = other.execution_options(isolation_level="READ COMMITTED").scalar(
            sa.select(V.id).limit(1).with_for_update()
        )
        assert retention.cleanup(engine, days=30) == (ROWS - 1, 0)
        other.rollback()
    assert held
    assert retention.cleanup(engine, days=30) == (1, 0)


def test_a_cleanup_leaves_what_is_alive(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    service.send(person)
    assert retention.cleanup(engine, days=30) == (0, 0)
    assert retention.purge(engine) == 0
    assert service.verify(person, sender.last_code)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_an_erasure_waits_for_a_request_instead_of_leaving_its_row(
    service: OtpService, person: Person, engine: sa.Engine
) -> None:
    service.send(person)
    messages = recorded(engine)
    assert retention.erase(engine, person.phone) == 1
    assert messages
    assert not any(b"SKIP LOCKED" in message for message in messages)


def phones(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(PhoneRow.phone)).scalars())


def test_an_erasure_forgets_what_the_phones_limits_counted(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    service.send(person)
    fail(service, person, sender.last_code, 1)
    assert phones(engine) == [person.phone]
    retention.erase(engine, person.phone)
    assert phones(engine) == []


@pytest.mark.statement(6)
def test_a_phone_is_forgotten_after_quiet_days_but_not_its_wrong_guesses_in_a_row(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    guessed_at = replace(person, phone="+14155552671")
    for each in (person, guessed_at):
        service.send(each)
        fail(service, each, sender.last_code, 1)
    service.cancel("public", service.resend(person).verification.id)
    service.send(person)
    service.verify(person, sender.last_code)
    retention.cleanup(engine, days=30)
    assert len(phones(engine)) == 2
    pass_time(engine, 31 * 86_400)
    retention.cleanup(engine, days=30)
    assert phones(engine) == [guessed_at.phone]


def test_what_a_limit_still_counts_is_not_deleted_with_an_old_verification(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    service.send(person)
    day = 86_400
    with engine.begin() as connection:  # it was resent again and again, and is still alive
        connection.execute(sa.update(V).values(created_at=sa.func.from_now(-day - 60)))
    fail(service, person, sender.last_code, 1)
    assert retention.cleanup(engine, days=1) == (0, 0)
    pass_time(engine, day + 600)
    assert retention.cleanup(engine, days=1) == (1, 1)
