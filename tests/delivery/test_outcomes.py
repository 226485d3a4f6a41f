"""What Gupshup's answers mean, and what is kept of them."""

from __future__ import annotations

import pytest
from requests_mock import Mocker

from otp_service.delivery import outcomes
from otp_service.delivery.outcomes import ERRORS, KINDS, Kind, scrub
from otp_service.domain.errors import (
    DeliveryError,
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
)
from otp_service.domain.ports import Sender
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


CODES_OF_THE_REFERENCE = """
    500 503 1001 1002 1003 1004 1005 4003 1006 1007 1008 1009 1010 1011 1012 1013 4001 4002 4004
    4005 132015 470 131047 471 472 130472 131026 131049 131050 131056 130429 131057 131048 131031
    368 131042 131037 133010 130497 131062 132000 132001 132012 132016 0 190 10 200 299 1 2
"""


@pytest.mark.parametrize("code", CODES_OF_THE_REFERENCE.split())
def test_the_table_knows_every_documented_code(code: str) -> None:
    assert code in KINDS


def test_no_name_is_in_the_table_twice_and_every_kind_has_an_error() -> None:
    names = [name for names in outcomes._NAMES.values() for name in names.split()]
    assert sorted(names) == sorted(KINDS)
    assert set(ERRORS) == set(Kind)


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
    assert CODE not in repr(outcomes.Answer(200, CODE.encode()))


def test_neither_settings_nor_sender_show_the_key(sender: Sender) -> None:
    assert KEY not in repr(SETTINGS) + repr(sender) + repr(vars(sender))
