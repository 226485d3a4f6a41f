"""Which error an answer is that did not take the message."""

from __future__ import annotations

import pytest

from otp_service.delivery.failure_codes import FAMILIES, SMS, WHATSAPP
from otp_service.delivery.failure_reasons import Trouble
from otp_service.delivery.http import Answer
from otp_service.delivery.refusals import error_of
from otp_service.domain import failures
from otp_service.domain.errors import (
    DeliveryError,
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
)
from otp_service.domain.failures import Failure
from otp_service.domain.messages import Sender
from tests.delivery.account import CODE, KEY, refusal


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, DeliveryFailed),
        (307, DeliveryFailed),
        (400, DeliveryFailed),
        (401, DeliveryFailed),
        (403, DeliveryFailed),
        (404, DeliveryFailed),
        (418, DeliveryFailed),
        (429, DeliveryUnavailable),
        (500, DeliveryUnavailable),
        (502, DeliveryUnavailable),
        (503, DeliveryUnavailable),
        (504, DeliveryUnconfirmed),
        (599, DeliveryUnavailable),
        (799, DeliveryUnconfirmed),
    ],
)
@pytest.mark.parametrize("body", ["", "<html>nginx</html>", '{"status":"error","message":"No"}'])
def test_a_status_alone_decides_when_there_is_no_code(
    sender: Sender, status: int, error: type[DeliveryError], body: str
) -> None:
    assert type(refusal(sender, status_code=status, text=body)) is error


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1002, DeliveryFailed),  # not on WhatsApp
        ("1003", DeliveryFailed),  # empty wallet
        (130497, DeliveryFailed),  # country
        (250, DeliveryFailed),  # Meta's permissions, not an HTTP status
        (0, DeliveryFailed),
        (4001, DeliveryUnavailable),
        ("131056", DeliveryUnavailable),
        (4002, DeliveryUnconfirmed),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500, 504])
def test_a_known_code_decides_whatever_the_status(
    sender: Sender, status: int, code: object, error: type[DeliveryError]
) -> None:
    body = {"status": "error", "code": code, "message": "words"}
    assert type(refusal(sender, status_code=status, json=body)) is error


def test_a_code_in_an_acceptance_is_told_but_decides_nothing(sender: Sender) -> None:
    error = refusal(sender, status_code=202, json={"status": "submitted", "code": 1002})
    assert (type(error), error.reason) == (DeliveryUnconfirmed, "1002")


def test_an_unknown_code_leaves_it_to_the_status(sender: Sender) -> None:
    body = {"status": "error", "code": 987654, "message": "words"}
    assert type(refusal(sender, status_code=200, json=body)) is DeliveryFailed
    assert type(refusal(sender, status_code=500, json=body)) is DeliveryUnavailable


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("1", 1),
        ("120", 120),
        ("3600", 3600),
        ("3601", 5),
        ("0", 5),
        ("-3", 5),
        ("1.5", 5),
        ("9" * 5000, 5),
        ("Fri, 01 Jan 2027 00:00:00 GMT", 5),
        (None, 5),
    ],
)
def test_only_a_sensible_retry_after_is_taken_over(
    sender: Sender, header: str | None, seconds: int
) -> None:
    headers = {"Retry-After": header} if header else {}
    assert refusal(sender, status_code=429, headers=headers).retry_after == seconds


def test_what_won_t_pass_has_no_retry_after(sender: Sender) -> None:
    assert refusal(sender, status_code=400, headers={"Retry-After": "60"}).retry_after is None


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (307, failures.REQUEST_REJECTED),
        (400, failures.REFUSED),
        (401, failures.CREDENTIALS_REJECTED),
        (403, failures.CREDENTIALS_REJECTED),
        (429, failures.RATE_LIMITED),
        (500, failures.PROVIDER_DOWN),
        (504, failures.UNCONFIRMED),
        (200, failures.UNCONFIRMED),
    ],
)
def test_every_status_has_its_failure(sender: Sender, status: int, failure: Failure) -> None:
    assert refusal(sender, status_code=status, text="").failure is failure


CASES = [(family, code) for family in (WHATSAPP, SMS) for code in FAMILIES[family]]


@pytest.mark.parametrize(("family", "code"), CASES)
def test_a_code_is_its_failure_whatever_the_status_and_without_a_request(
    family: str, code: str
) -> None:
    for status in (200, 400, 503):
        code_, _, subcode = code.partition("/")
        trouble = Trouble(code_, subcode, words="words")
        error = error_of(Answer(status, b"{}"), trouble, family, refused=True)
        assert error.failure is FAMILIES[family][code]
        assert error.reason == f"{code_}: words"


@pytest.mark.parametrize(
    ("status", "refused", "failure"),
    [
        (200, True, failures.REFUSED),
        (204, False, failures.UNCONFIRMED),
        (302, False, failures.REQUEST_REJECTED),
        (404, False, failures.REFUSED),
        (403, False, failures.CREDENTIALS_REJECTED),
        (429, False, failures.RATE_LIMITED),
        (502, False, failures.PROVIDER_DOWN),
        (524, False, failures.UNCONFIRMED),
    ],
)
def test_without_code_and_words_it_is_the_status(
    status: int, refused: bool, failure: Failure
) -> None:
    error = error_of(Answer(status, b""), Trouble(), WHATSAPP, refused=refused)
    assert (error.failure, error.reason) == (failure, f"HTTP {status}")


def test_no_error_holds_a_secret() -> None:
    trouble = Trouble("987654", words=f"key {KEY}, code {CODE}")
    error = error_of(Answer(400, b""), trouble, WHATSAPP, KEY, CODE, refused=True)
    assert error.reason == "987654: key …, code …"
