"""Which error an answer is: pure tables, for each family of codes."""

from __future__ import annotations

import json

import pytest

from otp_service.delivery.failure_codes import FAMILIES, HTTP, SMS, SMS_RECEIPT, WHATSAPP
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
from otp_service.domain.failures import FAILURES, Failure, Outcome

OF_CODES = [WHATSAPP, SMS, SMS_RECEIPT]
KEY, CODE, PHONE = "sk-canary-key-of-letters", "048213", "+919876543210"
ERRORS: dict[Outcome, type[DeliveryError]] = {
    Outcome.RECIPIENT: DeliveryFailed,
    Outcome.DESTINATION: DeliveryFailed,
    Outcome.REFUSED: DeliveryFailed,
    Outcome.CONFIGURATION: DeliveryFailed,
    Outcome.ACCOUNT: DeliveryFailed,
    Outcome.TEMPORARY: DeliveryUnavailable,
    Outcome.UNKNOWN: DeliveryUnconfirmed,
}


def error(
    status: int,
    trouble: Trouble = Trouble(),  # noqa: B008
    family: str = WHATSAPP,
    *,
    body: bytes = b"",
    retry_after: str = "",
    refused: bool = True,
) -> DeliveryError:
    answer = Answer(status, body, retry_after)
    return error_of(answer, trouble, family, KEY, CODE, PHONE, refused=refused)


# --- which failure it is ---


@pytest.mark.parametrize(
    ("status", "refused", "failure"),
    [
        (100, False, failures.UNCONFIRMED),
        (200, False, failures.UNCONFIRMED),
        (202, False, failures.UNCONFIRMED),
        (200, True, failures.REFUSED),
        (302, False, failures.REQUEST_REJECTED),
        (400, False, failures.REFUSED),
        (401, False, failures.CREDENTIALS_REJECTED),
        (403, False, failures.CREDENTIALS_REJECTED),
        (404, False, failures.REFUSED),
        (429, False, failures.RATE_LIMITED),
        (500, False, failures.PROVIDER_DOWN),
        (503, False, failures.PROVIDER_DOWN),
        (504, False, failures.UNCONFIRMED),
        (524, False, failures.UNCONFIRMED),
        (799, False, failures.UNCONFIRMED),
    ],
)
@pytest.mark.parametrize("family", OF_CODES)
def test_a_status_tells_what_no_code_does(
    family: str, status: int, refused: bool, failure: Failure
) -> None:
    assert error(status, family=family, refused=refused).failure is failure


@pytest.mark.parametrize(
    ("family", "code"), [(family, code) for family in OF_CODES for code in FAMILIES[family]]
)
def test_a_listed_code_decides_whatever_the_status(family: str, code: str) -> None:
    number, _, subcode = code.partition("/")
    for status in (200, 400, 500, 504):
        told = error(status, Trouble(number, subcode), family)
        assert told.failure is FAMILIES[family][code]


def test_the_same_number_is_another_failure_in_another_family() -> None:
    assert error(400, Trouble("102"), WHATSAPP).failure is failures.CREDENTIALS_REJECTED
    assert error(400, Trouble("105"), SMS).failure is failures.INVALID_NUMBER
    assert error(400, Trouble("105"), WHATSAPP).failure is failures.REFUSED


def test_a_code_beside_an_acceptance_decides_nothing() -> None:
    assert error(202, Trouble("1002"), refused=False).failure is failures.UNCONFIRMED


def test_an_unlisted_code_leaves_it_to_the_words_and_then_to_the_status() -> None:
    spoken = Trouble("987654", words="Insufficient balance")
    assert error(500, spoken).failure is failures.BALANCE_EMPTY
    assert error(500, Trouble("987654", words="Oops")).failure is failures.PROVIDER_DOWN


def test_a_listed_code_goes_before_the_words() -> None:
    spoken = Trouble("1002", words="Insufficient balance")
    assert error(400, spoken).failure is failures.NOT_ON_WHATSAPP


def test_a_page_has_words_too() -> None:
    page = b"<html><body><h1>Invalid Api Key</h1></body></html>"
    assert error(400, body=page).failure is failures.CREDENTIALS_REJECTED


# --- which error that is ---


def test_each_outcome_has_its_error() -> None:
    assert set(ERRORS) == set(Outcome)


@pytest.mark.parametrize(
    ("family", "code"), [(family, code) for family in OF_CODES for code in FAMILIES[family]]
)
def test_every_code_leads_to_the_error_of_its_outcome(family: str, code: str) -> None:
    number, _, subcode = code.partition("/")
    told = error(400, Trouble(number, subcode), family)
    assert type(told) is ERRORS[FAMILIES[family][code].outcome]
    assert told.details["failure"] in FAILURES


@pytest.mark.parametrize("status", [int(name) for name in FAMILIES[HTTP] if name.isdigit()])
def test_every_listed_status_leads_to_the_error_of_its_outcome(status: int) -> None:
    assert type(error(status)) is ERRORS[FAMILIES[HTTP][str(status)].outcome]


# --- when to come back ---


@pytest.mark.parametrize(
    ("header", "seconds", "asked"),
    [
        ("", 5, 0),
        ("1", 1, 1),
        ("3600", 3600, 3600),
        ("3601", 5, 0),
        ("0", 5, 0),
        ("-3", 5, 0),
        ("1.5", 5, 0),
        ("9" * 5000, 5, 0),
        ("٣", 5, 0),
        ("Fri, 01 Jan 2027 00:00:00 GMT", 5, 0),
    ],
)
def test_only_a_sensible_retry_after_is_taken_over(header: str, seconds: int, asked: int) -> None:
    told = error(429, retry_after=header)
    assert isinstance(told, DeliveryUnavailable)
    assert (told.retry_after, told.asked_wait) == (seconds, asked)


@pytest.mark.parametrize("status", [200, 302, 400, 401, 504])
def test_what_won_t_pass_has_no_retry_after(status: int) -> None:
    assert error(status, retry_after="60").retry_after is None


# --- what is kept of it ---


@pytest.mark.parametrize(
    ("trouble", "body", "reason"),
    [
        (Trouble("1002", words="No WhatsApp"), b"", "1002: No WhatsApp"),
        (Trouble("1002"), b'{"code": 1002}', "1002"),
        (Trouble(words="No WhatsApp"), b"", "No WhatsApp"),
        (Trouble("987654"), b'{"code": 987654}', '987654: {"code": 987654}'),
        (Trouble(), b"", "HTTP 400"),
        (Trouble(), b"<html><h1>Bad gateway</h1></html>", "HTTP 400: Bad gateway"),
        (Trouble(), b'{"message": null}', 'HTTP 400: {"message": null}'),
        (Trouble(words="x" * 1000), b"", "x" * 200),
        (Trouble("1002", words="x" * 1000), b"", f"1002: {'x' * 194}"),
        (Trouble(), b"x" * 1000, f"HTTP 400: {'x' * 190}"),
    ],
)
def test_the_reason_is_the_provider_s_own(trouble: Trouble, body: bytes, reason: str) -> None:
    assert error(400, trouble, body=body).reason == reason


@pytest.mark.parametrize("family", OF_CODES)
@pytest.mark.parametrize("status", [202, 400, 500])
@pytest.mark.parametrize("code", ["", "1002", "987654", CODE, PHONE[1:], KEY[:20]])
def test_neither_secrets_nor_phones_are_kept(family: str, status: int, code: str) -> None:
    said = f"{CODE} for {PHONE} and +1 (415) 555-0123 by {KEY.upper()}"
    for trouble, body in [
        (Trouble(code, words=said), b""),
        (Trouble(code), json.dumps({"said": said}).encode()),
        (Trouble(code), said.encode()),
        (Trouble(code), f"<html>{said}</html>".encode()),
    ]:
        told = error(status, trouble, family, body=body)
        kept = f"{told!r} {told.details}"
        assert not [secret for secret in (CODE, PHONE[1:], "555-0123", KEY) if secret in kept]
        assert KEY.upper() not in kept
