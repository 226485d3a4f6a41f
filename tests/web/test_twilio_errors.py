"""Each refusal has a number of Twilio's."""

from __future__ import annotations

import pytest

from otp_service.domain.errors import DestinationNotAllowed, InvalidRequest, OtpError
from otp_service.web import twilio_errors
from otp_service.web.errors import NotReady
from otp_service.web.example_refusals import REFUSALS
from otp_service.wording import REFUSALS as REASONS

NOT_THERE = {
    "CodeAlreadySent",  # it is sent again
    "CodeIncorrect",  # an answer, and no refusal
    "DeliveryUnconfirmed",  # begun
    "IdempotencyInProgress", "IdempotencyKeyReused",  # no call has a key
    "InvalidJson", "NotReady", "MessageNotFound",
}  # fmt: skip


def test_each_refusal_that_may_come_has_its_number() -> None:
    known = {kind.__name__ for kind in twilio_errors.REFUSALS}
    others = {kind.__name__ for kind in REFUSALS} - known - NOT_THERE
    assert {name for name in others if not name.startswith("Wrong")} == set()


@pytest.mark.parametrize("kind", twilio_errors.REFUSALS)
def test_each_is_told_in_twilios_four_fields(kind: type[OtpError]) -> None:
    error = REFUSALS.get(kind) or kind()
    told, status = twilio_errors.told(error)
    assert list(told) == ["code", "message", "more_info", "status"]
    assert told["status"] == status >= 400
    assert told["more_info"].endswith(f"/{told['code']}")


def test_what_never_comes_there_is_our_fault() -> None:
    told, status = twilio_errors.told(NotReady())
    assert (told["code"], status) == (20500, 500)


@pytest.mark.parametrize("reason", REASONS)
def test_each_kind_of_destination_has_its_number(reason: str) -> None:
    expected = {"country": 60605, "number_type": 60205, "may_be_mobile_without_9": 60200}
    told, status = twilio_errors.told(DestinationNotAllowed(reason=reason))
    assert told["code"] == expected.get(reason, 60410)
    assert status == (400 if told["code"] == 60200 else 403)


def test_an_invalid_parameter_is_named_and_its_value_is_not_told() -> None:
    told, _ = twilio_errors.told(InvalidRequest({"Code": ["Needed: digits."]}))
    assert told["message"] == "Invalid parameter `Code`: Needed: digits."
