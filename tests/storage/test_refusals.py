"""What a provider refuses for the recipient's sake costs nothing: a limit of its own bounds it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError, OtpError, SendLimitExceeded, delivery_error
from otp_service.domain.failures import Failure
from otp_service.domain.limits import Limit, Limits
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person
from tests.fakes import FakeSender
from tests.storage.conftest import MakeService
from tests.storage.helpers import pass_time

pytestmark = pytest.mark.statement(30)


def refused(
    service: OtpService, sender: FakeSender, person: Person, times: int, failure: Failure
) -> None:
    sender.failure = delivery_error(failure)
    for _ in range(times):
        with pytest.raises(DeliveryError):
            service.send(person)
    sender.failure = None


def test_ten_in_an_hour_end_messages_to_a_phone(
    service: OtpService, sender: FakeSender, person: Person, engine: sa.Engine
) -> None:
    refused(service, sender, person, 10, failures.NOT_ON_WHATSAPP)
    calls = len(sender.messages)
    with pytest.raises(SendLimitExceeded) as caught:
        service.send(person)
    assert caught.value.details["limit"] == "phone_refusals"
    assert caught.value.retry_after == pytest.approx(3_600, abs=30)
    assert len(sender.messages) == calls
    assert service.send(replace(person, phone="+14155552671"))
    pass_time(engine, 3_601)
    assert service.send(person)


def test_a_resend_of_a_live_code_is_refused_as_well(
    service: OtpService, sender: FakeSender, person: Person
) -> None:
    service.send(person)
    sender.failure = delivery_error(failures.UNDELIVERABLE)
    for _ in range(10):
        with pytest.raises(DeliveryError):
            service.resend(person)
    with pytest.raises(SendLimitExceeded) as caught:
        service.resend(person)
    assert caught.value.details["limit"] == "phone_refusals"


@pytest.mark.parametrize(
    "failure",
    [
        failures.PROVIDER_DOWN,
        failures.RATE_LIMITED,
        failures.BALANCE_EMPTY,
        failures.TEMPLATE_REJECTED,
        failures.CREDENTIALS_REJECTED,
        failures.ACCOUNT_RESTRICTED,
        failures.REFUSED,
    ],
    ids=lambda failure: failure.code,
)
def test_what_is_not_the_recipients_fault_locks_nobody_out(
    failure: Failure, service: OtpService, sender: FakeSender, person: Person
) -> None:
    refused(service, sender, person, 12, failure)
    assert service.send(person)


def test_a_client_has_a_limit_over_all_its_phones(
    make_service: MakeService, sender: FakeSender, person: Person, engine: sa.Engine
) -> None:
    limits = replace(Limits(), client_refusals=(Limit("client_refusals", 3, 600),))
    service = make_service(limits=limits)
    for number in range(3):
        other = replace(person, phone=f"+9198765{number}3210")
        refused(service, sender, other, 1, failures.UNSUPPORTED_DESTINATION)
    with pytest.raises(SendLimitExceeded) as caught:
        service.send(person)
    assert caught.value.details["limit"] == "client_refusals"
    assert service.send(replace(person, client="another"))
    pass_time(engine, 601)
    assert service.send(person)


def test_a_test_number_has_none(service: OtpService, sender: FakeSender, person: Person) -> None:
    tested = replace(person, phone="+1234567890")
    refused(service, sender, tested, 11, failures.NOT_ON_WHATSAPP)
    try:
        service.send(tested)
    except OtpError as error:
        pytest.fail(error.code)
