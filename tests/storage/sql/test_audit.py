"""Who did what to which verification: an entry for each thing that was done, and no more."""

from __future__ import annotations

import os
import pwd
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import CodeAlreadySent, CodeNotFound, SendLimitExceeded
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person
from otp_service.storage import retention
from otp_service.storage.models.audit import AuditRow
from otp_service.storage.models.dialects import from_now
from otp_service.storage.models.verifications import VerificationRow as V
from otp_service.storage.sql import audit
from tests.fakes import FakeSender
from tests.faults.waiting import until
from tests.storage.helpers import fail, race, wait_for_lock
from tests.storage.upgrades import ROW, insert


def entries(engine: sa.Engine, **asked: Any) -> list[tuple[str, str, str | None]]:
    """Oldest first: who, what, and how it ended."""
    found = audit.find(engine, seconds=60, count=100, **asked)
    return [(row.actor, row.action, row.detail) for row in reversed(found)]


def test_all_that_a_client_does_to_a_verification_is_there_in_order(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    sent = service.send(person).verification
    service.resend(person)
    fail(service, person, sender.last_code, 1)
    service.verify(person, sender.last_code)
    other = service.send(person).verification
    service.cancel("public", other.id)
    assert entries(engine, verification_id=sent.id) == [
        ("public", "verification.started", None),
        ("public", "verification.resent", None),
        ("public", "verification.checked", "wrong"),
        ("public", "verification.checked", "right"),
    ]
    assert entries(engine, verification_id=other.id) == [
        ("public", "verification.started", None),
        ("public", "verification.canceled", None),
    ]


def test_a_cancellation_is_found_by_its_phone(
    service: OtpService, person: Person, engine: sa.Engine
) -> None:
    sent = service.send(person).verification
    service.cancel("public", sent.id)
    digests = service._codes.pseudonyms("phone", person.phone)
    newest, begun = audit.find(engine, seconds=60, count=9, phone_digests=digests)
    assert (newest.action, newest.phone) == ("verification.canceled", "+91****3210")
    assert begun.action == "verification.started"


def test_a_verification_that_began_before_there_was_a_trail_can_be_canceled(
    service: OtpService, engine: sa.Engine
) -> None:
    insert(engine, "verifications", **ROW | {"expires_at": from_now(60)})
    service.cancel("public", str(ROW["id"]))
    (row,) = audit.find(engine, seconds=60, count=9)
    assert (row.action, row.phone, row.phone_digest) == ("verification.canceled", None, None)


def test_what_was_refused_or_changed_nothing_is_not(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    sent = service.send(person).verification
    with pytest.raises(CodeAlreadySent):
        service.send(person)
    for _ in range(4):
        service.resend(person)
    with pytest.raises(SendLimitExceeded):
        service.resend(person)
    with pytest.raises(CodeNotFound):
        service.verify(person, sender.last_code, "p" + "0" * 32)
    assert len(entries(engine)) == 5
    service.cancel("public", sent.id)
    service.cancel("public", sent.id)
    assert len(entries(engine)) == 6


def test_of_racing_cancels_and_checks_each_leaves_one_entry(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    sent = service.send(person).verification
    race(*[lambda: service.verify(person, sender.last_code)] * 8)
    again = service.send(person).verification
    race(*[lambda: service.cancel("public", again.id)] * 8)
    assert len(entries(engine, verification_id=sent.id)) == 2
    assert len(entries(engine, verification_id=again.id)) == 2


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_cancels_that_wait_for_each_other_leave_one_entry(
    service: OtpService, person: Person, engine: sa.Engine
) -> None:
    sent = service.send(person).verification
    held = sa.select(V.id).where(V.id == sent.id).with_for_update()
    with ThreadPoolExecutor(4) as pool:
        with engine.execution_options(isolation_level="READ COMMITTED").begin() as holder:
            holder.execute(held)
            waiting = [pool.submit(service.cancel, "public", sent.id) for _ in range(4)]
            until(lambda: wait_for_lock(engine) == 4)
        assert [each.result().status.value for each in waiting] == ["canceled"] * 4
    assert len(entries(engine, verification_id=sent.id)) == 2


def test_a_phone_is_masked_and_found_by_its_pseudonym(
    service: OtpService, person: Person, engine: sa.Engine
) -> None:
    service.send(person)
    service.send(Person("public", "+14155552671", "login"))
    digests = service._codes.pseudonyms("phone", person.phone)
    (row,) = audit.find(engine, seconds=60, count=100, phone_digests=digests)
    assert row.phone == "+91****3210"
    assert person.phone not in str(list(row))


@pytest.mark.statement(27)
def test_an_operators_deeds_are_told_under_the_accounts_name(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "alice")
    monkeypatch.setenv("SUDO_UID", "4711")
    audit.record(engine, actor=audit.operator(), action="key.created", detail="shop")
    name = pwd.getpwuid(os.getuid()).pw_name
    assert name != "alice"
    assert entries(engine) == [(f"operator:{name}", "key.created", "shop")]


@pytest.mark.statement(27)
def test_an_account_without_a_name_is_told_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 987_654)
    monkeypatch.setenv("LOGNAME", "alice")
    assert audit.operator() == "operator:987654"


@pytest.mark.statement(27)
@pytest.mark.parametrize("client", ["operator:root", "Operator:root", "operator" + "x" * 56])
def test_a_client_of_old_that_is_called_as_operators_are_is_told_as_a_client(
    service: OtpService, engine: sa.Engine, client: str
) -> None:
    """Such names could be given to keys until there was a rule."""
    service.send(Person(client, "+919876543210", "login"))
    ((actor, _, _),) = entries(engine)
    assert actor == f"client:{client}"[:64]


def test_entries_are_kept_for_a_year(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for days in (364, 366):
            row = {"at": from_now(-86_400 * days), "actor": "shop", "action": f"{days}"}
            connection.execute(sa.insert(AuditRow).values(row))
    retention.cleanup(engine, 1)
    found = audit.find(engine, seconds=400 * 86_400, count=10)
    assert [row.action for row in found] == ["364"]
