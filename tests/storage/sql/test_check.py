"""What a code verifies, once, and what it never does."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import (
    CodeIncorrect,
    CodeNotFound,
    PhoneLocked,
    TooManyAttempts,
    VerificationNotFound,
)
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person, Status
from otp_service.storage.models.verifications import CodeRow
from tests.fakes import FakeSender
from tests.storage.conftest import MakeService
from tests.storage.helpers import fail, pass_time, wrong


def test_a_right_code_verifies_once(
    service: OtpService, person: Person, sender: FakeSender
) -> None:
    service.send(person)
    assert service.verify(person, sender.last_code).status is Status.VERIFIED
    with pytest.raises(CodeNotFound):
        service.verify(person, sender.last_code)


def test_a_wrong_code_costs_an_attempt_and_the_right_one_still_verifies(
    service: OtpService, person: Person, sender: FakeSender
) -> None:
    service.send(person)
    with pytest.raises(CodeIncorrect) as caught:
        service.verify(person, wrong(sender.last_code))
    assert caught.value.details["attempts_remaining"] == 4
    assert service.verify(person, sender.last_code).attempts == 1


def test_after_five_wrong_codes_even_the_right_one_fails(
    service: OtpService, person: Person, sender: FakeSender
) -> None:
    service.send(person)
    fail(service, person, sender.last_code, 5)
    with pytest.raises(TooManyAttempts):
        service.verify(person, sender.last_code)


def test_the_fifth_guess_may_still_be_right(
    service: OtpService, person: Person, sender: FakeSender
) -> None:
    service.send(person)
    fail(service, person, sender.last_code, 4)
    assert service.verify(person, sender.last_code).status is Status.VERIFIED


def test_a_code_ends_with_its_lifetime(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    sent = service.send(person)
    pass_time(engine, 175)  # and the test may take some more
    fail(service, person, sender.last_code, 1)
    pass_time(engine, 6)
    with pytest.raises(CodeNotFound):
        service.verify(person, sender.last_code)
    assert service.get("public", sent.verification.id).status is Status.EXPIRED
    assert service.send(person).verification.id != sent.verification.id


@pytest.mark.statement(8)
@pytest.mark.parametrize(
    "other",
    [
        Person("other-client", "+919876543210", "login"),
        Person("public", "+919876543211", "login"),
        Person("public", "+919876543210", "payment"),
    ],
    ids=["client", "phone", "purpose"],
)
def test_a_code_never_verifies_for_another(
    other: Person, service: OtpService, person: Person, sender: FakeSender
) -> None:
    service.send(person)
    code = sender.last_code
    with pytest.raises(CodeNotFound):
        service.verify(other, code)
    service.send(other)
    with pytest.raises(CodeIncorrect):
        service.verify(other, code)
    assert service.verify(person, code)


@pytest.mark.statement(8)
def test_a_mac_moved_to_another_row_proves_nothing(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    service.send(person)
    used = sender.last_code
    service.verify(person, used)
    service.send(person)
    with engine.begin() as connection:
        macs = connection.execute(sa.select(CodeRow.mac)).scalars().all()
        connection.execute(sa.update(CodeRow).values(mac=macs[0]))
    with pytest.raises(CodeIncorrect):
        service.verify(person, used)


@pytest.mark.statement(8)
def test_an_id_of_another_phone_is_not_found(
    service: OtpService, person: Person, sender: FakeSender
) -> None:
    other = service.send(replace(person, phone="+919876543211")).verification.id
    mine = service.send(person).verification.id
    with pytest.raises(CodeNotFound):
        service.verify(person, sender.last_code, other)
    assert service.verify(person, sender.last_code, mine)


def test_a_canceled_code_never_verifies(
    service: OtpService, person: Person, sender: FakeSender
) -> None:
    sent = service.send(person)
    for _ in range(2):
        assert service.cancel("public", sent.verification.id).status is Status.CANCELED
    with pytest.raises(CodeNotFound):
        service.verify(person, sender.last_code)
    assert service.send(person).verification.id != sent.verification.id


def test_canceling_what_was_verified_changes_nothing(
    service: OtpService, person: Person, sender: FakeSender
) -> None:
    sent = service.send(person)
    service.verify(person, sender.last_code)
    assert service.cancel("public", sent.verification.id).status is Status.VERIFIED


@pytest.mark.statement(8)
def test_another_clients_verification_does_not_exist(service: OtpService, person: Person) -> None:
    sent = service.send(person)
    for act in (service.get, service.cancel):
        with pytest.raises(VerificationNotFound):
            act("other-client", sent.verification.id)
    assert service.get("public", sent.verification.id).status is Status.PENDING


@pytest.mark.statement(5)
def test_ten_failures_in_an_hour_lock_the_phone_over_all_its_verifications(
    service: OtpService, person: Person, sender: FakeSender, engine: sa.Engine
) -> None:
    for purpose in ("login", "payment"):
        service.send(replace(person, purpose=purpose))
        fail(service, replace(person, purpose=purpose), sender.last_code, 5)
        pass_time(engine, 60)
    service.send(replace(person, purpose="third", client="other-client"))
    with pytest.raises(PhoneLocked) as caught:
        service.verify(replace(person, purpose="third", client="other-client"), sender.last_code)
    assert caught.value.retry_after == pytest.approx(3600 - 120, abs=3)
    pass_time(engine, 3600 - 120)
    service.resend(person)
    assert service.verify(person, sender.last_code)


def test_codes_made_with_an_older_secret_still_verify(
    make_service: MakeService, person: Person, sender: FakeSender
) -> None:
    old, new = b"o" * 32, b"n" * 32
    make_service(old).send(person)
    assert make_service(new, old).verify(person, sender.last_code)
    make_service(new, old).send(person)
    assert make_service(new).verify(person, sender.last_code)
