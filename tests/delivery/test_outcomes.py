"""What Gupshup's answers mean, and what is kept of them."""

from __future__ import annotations

import pytest
from requests_mock import Mocker

from otp_service.delivery.answers import Answer
from otp_service.delivery.outcomes import _TABLE, FAMILIES, HTTP, WHATSAPP
from otp_service.delivery.untrusted import scrub
from otp_service.domain import failures
from otp_service.domain.errors import (
    DeliveryError,
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
)
from otp_service.domain.failures import Failure, Outcome
from otp_service.domain.messages import Sender
from tests.delivery.account import CODE, KEY, MESSAGE, PHONE, SETTINGS, URL, refusal

# --- what answers mean ---


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("word", ["submitted", "success", None])
def test_any_2xx_with_an_id_is_accepted(
    requests_mock: Mocker, sender: Sender, status: int, word: str | None
) -> None:
    requests_mock.post(URL, status_code=status, json={"status": word, "messageId": "id-1"})
    assert sender.send(MESSAGE) == "id-1"


def test_the_content_type_of_an_answer_does_not_matter(
    requests_mock: Mocker, sender: Sender
) -> None:
    requests_mock.post(URL, text='{"messageId": "id-1"}', headers={"Content-Type": "text/html"})
    assert sender.send(MESSAGE) == "id-1"


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


def test_an_error_with_an_id_is_still_an_error(sender: Sender) -> None:
    body = {"status": "error", "messageId": "id-1", "message": "Invalid Destination"}
    error = refusal(sender, status_code=200, json=body)
    assert (type(error), error.reason) == (DeliveryFailed, "Invalid Destination")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "{}",
        "[]",
        "null",
        '{"messageId": ""}',
        '{"messageId": "  "}',
        '{"messageId": 5}',
        '{"messageId": "a\\u0000b"}',
        '{"messageId": "%s"}' % ("x" * 201),
        '{"status": "submitted", "code": 1002}',
        '{"status":',
        "[" * 60_000,
    ],
)
def test_a_2xx_that_tells_no_id_may_have_been_accepted(sender: Sender, body: str) -> None:
    assert type(refusal(sender, status_code=202, text=body)) is DeliveryUnconfirmed


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


# Every line of Gupshup's and Meta's lists of codes.
DOCUMENTED = {
    failures.PROVIDER_DOWN: "500 503 1 2",
    failures.SENDER_NOT_READY: "1001 4004 133010",
    failures.NOT_ON_WHATSAPP: "1002 1013",
    failures.BALANCE_EMPTY: "1003 131042",
    failures.TEMPLATE_REJECTED: "1004 1005 4003 132000 132001 132012",
    failures.REQUEST_REJECTED: "1006 1007 1008 1009 1010 1011 470 131047 131062",
    failures.OPTED_OUT: "1012 131050",
    failures.RATE_LIMITED: "4001 471 130429 131057",
    failures.UNCONFIRMED: "4002",
    failures.TEMPLATE_PAUSED: "4005 132015 132016",
    failures.RECIPIENT_CAPPED: "472 130472 131049",
    failures.UNDELIVERABLE: "131026",
    failures.RECIPIENT_RATE_LIMITED: "131056",
    failures.ACCOUNT_RESTRICTED: "131048 131031 368 131037",
    failures.UNSUPPORTED_DESTINATION: "130497",
    failures.CREDENTIALS_REJECTED: "0 190 10 200 250 299",
}


ERRORS = {Outcome.TEMPORARY: DeliveryUnavailable, Outcome.UNKNOWN: DeliveryUnconfirmed}


@pytest.mark.parametrize("as_number", [True, False])
@pytest.mark.parametrize(
    ("code", "failure"),
    [(code, failure) for failure, codes in DOCUMENTED.items() for code in codes.split()],
)
def test_every_documented_code_has_its_failure(
    sender: Sender, code: str, failure: Failure, as_number: bool
) -> None:
    body = {"status": "error", "code": int(code) if as_number else code, "message": "words"}
    error = refusal(sender, status_code=400, json=body)
    assert (error.failure, error.details) == (failure, {"failure": failure.code})
    assert type(error) is ERRORS.get(failure.outcome, DeliveryFailed)
    assert error.reason == f"{code}: words"


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


def test_no_family_has_a_code_twice() -> None:
    for family, table in _TABLE.items():
        names = [name for codes in table.values() for name in codes.split()]
        assert sorted(names) == sorted(FAMILIES[family])


def test_what_the_owner_of_the_account_must_do_is_told_apart() -> None:
    codes = "1003 4005 132015 131042 368"
    assert {FAMILIES[WHATSAPP][code].outcome for code in codes.split()} == {Outcome.ACCOUNT}
    assert FAMILIES[HTTP]["401"].outcome is Outcome.CONFIGURATION


# --- what errors hold ---


def test_the_reason_is_the_provider_s_own_words(sender: Sender) -> None:
    body = {"status": "error", "message": "Invalid App Details"}
    assert refusal(sender, status_code=400, json=body).reason == "Invalid App Details"


@pytest.mark.parametrize("words", [None, "", "   ", 5, {"a": 1}, ["x"]])
def test_without_words_the_reason_is_the_status(sender: Sender, words: object) -> None:
    assert refusal(sender, status_code=400, json={"message": words}).reason == "HTTP 400"


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (f"OTP {CODE} for {PHONE} by {KEY}", "OTP … for +…3210 by …"),
        (f"{KEY.upper()} 048-213 0 4 8 2 1 3", "… … …"),
        ("call +91 (98765) 43-210 or 14155550123", "call +••••-210 or ••••0123"),
        ("a\r\nFORGED\x1b[31m\x00\u2028\u202eb", "a  FORGED [31m   b"),
        ("x" * 1000, "x" * 200),
        ("x" * 197 + CODE, "x" * 197 + "…"),
    ],
)
def test_the_reason_is_scrubbed(sender: Sender, words: str, kept: str) -> None:
    assert refusal(sender, status_code=400, json={"message": words}).reason == kept


def test_a_code_that_is_part_of_the_phone_or_key_does_not_unmask_the_rest() -> None:
    assert scrub("to 919876543210", "9876", KEY, "91987654") == "to …3210"
    assert scrub(f"by {KEY}", KEY[-9:-6], KEY) == "by …"


def test_an_answer_s_repr_does_not_show_its_body() -> None:
    assert CODE not in repr(Answer(200, CODE.encode()))


def test_neither_settings_nor_sender_show_the_key(sender: Sender) -> None:
    assert KEY not in repr(SETTINGS) + repr(sender) + repr(vars(sender))
