"""What is understood of the many forms of SMS reports."""

from __future__ import annotations

import json

import pytest

from otp_service.delivery.failure_codes import FAMILIES, SMS_RECEIPT
from otp_service.delivery.providers import gupshup_sms_receipts
from otp_service.domain import failures
from otp_service.domain.failures import Failure
from otp_service.domain.messages import Receipt
from otp_service.domain.verification import DeliveryStatus
from tests.delivery import callbacks
from tests.delivery.callbacks import SMS_EVENT, SMS_QUERY, utc


@pytest.mark.parametrize(
    ("cause", "failure"),
    [
        ("ABSENT_SUBSCRIBER", failures.RECIPIENT_ABSENT),
        ("UNKNOWN_SUBSCRIBER", failures.INVALID_NUMBER),
        ("DND_FAIL", failures.BARRED),
        ("SERVICE_DOWN", failures.PROVIDER_DOWN),
        ("OUTSIDE_WORKING_HOURS", failures.OUTSIDE_HOURS),
    ],
)
def test_an_sms_report_with_a_new_code_is_understood_by_its_cause(
    cause: str, failure: Failure
) -> None:
    [receipt] = gupshup_sms_receipts.read({**SMS_QUERY, "errCode": "099", "cause": cause})
    assert (receipt.failure, receipt.reason) == (failure, f"099: {cause}")


def test_an_sms_report_without_a_cause_tells_neither_token_nor_long_numbers() -> None:
    told = {**SMS_QUERY, "errCode": "8306147", "cause": "", "token": "the-hooks-secret"}
    [receipt] = gupshup_sms_receipts.read(told)
    assert receipt.failure is failures.REFUSED
    assert receipt.reason == '{"status": "FAILURE", "errCode": "••••…"}'


def sms(message_id: str, status: str, failure: Failure | None = None, reason: str = "") -> Receipt:
    at = utc(1626347800)
    return Receipt("gupshup-sms", message_id, DeliveryStatus(status), at, failure, reason)


DELIVERED_SMS = sms("3562707498794989059-328736121207676738", "delivered")
FAILED_SMS = sms(
    "3798318073013708082-252169030017029882",
    "failed",
    failures.INVALID_NUMBER,
    "003: UNKNOWN_SUBSCRIBER",
)


@pytest.mark.parametrize(
    "body",
    [
        callbacks.SMS_BATCH,
        callbacks.SMS_BATCH.encode(),
        {"response": callbacks.SMS_BATCH},
        {"response": callbacks.SMS_BATCH.removeprefix("[response=")},
        {"[response": callbacks.SMS_BATCH.removeprefix("[response=")},  # read as a form
    ],
)
def test_the_documented_batch_is_read_although_it_is_no_json(body: object) -> None:
    assert gupshup_sms_receipts.read(body) == [DELIVERED_SMS, FAILED_SMS]


@pytest.mark.parametrize(
    "body",
    [
        SMS_QUERY,
        {**SMS_QUERY, "status": "failure"},
        SMS_EVENT,
        [SMS_EVENT],
        [5, SMS_EVENT, None],
        {"response": [SMS_EVENT]},
        {"response": json.dumps([SMS_EVENT])},
        {json.dumps([SMS_EVENT]): ""},  # JSON, read as a form
        json.dumps([SMS_EVENT]),
        json.dumps(SMS_EVENT),
        json.dumps({"response": [SMS_EVENT]}),
        "response=" + json.dumps([SMS_EVENT]),
        "response=" + json.dumps([SMS_EVENT], indent=1),
        f"[response={json.dumps([SMS_EVENT])}]",
        str([SMS_EVENT]),  # single quotes
    ],
)
def test_every_form_of_a_report_is_read(body: object) -> None:
    assert gupshup_sms_receipts.read(body) == [FAILED_SMS]


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("000", failures.REFUSED),
        ("001", failures.RECIPIENT_ABSENT),
        ("002", failures.BARRED),
        ("003", failures.INVALID_NUMBER),
        ("004", failures.PROVIDER_DOWN),
        ("005", failures.PROVIDER_DOWN),
        ("006", failures.BARRED),
        ("007", failures.BARRED),
        ("008", failures.PROVIDER_DOWN),
        ("009", failures.OUTSIDE_HOURS),
        ("010", failures.REFUSED),
    ],
)
def test_every_error_code_of_a_report_has_its_failure(code: str, failure: Failure) -> None:
    for told in (code, int(code), code.lstrip("0") or "0"):
        [receipt] = gupshup_sms_receipts.read({**SMS_QUERY, "errCode": told, "cause": "whatever"})
        assert receipt.failure is failure
        assert receipt.reason.startswith(f"{code}: ")
    assert code == "010" or code in FAMILIES[SMS_RECEIPT]


def test_a_report_without_a_code_is_a_refusal() -> None:
    [receipt] = gupshup_sms_receipts.read({**SMS_QUERY, "errCode": "", "cause": "to 919876543210"})
    assert (receipt.failure, receipt.reason) == (failures.REFUSED, "to …")


@pytest.mark.parametrize("status", ["UNKNOWN", "", None, "SUBMITTED", 5])
def test_a_report_that_does_not_know_is_none(status: object) -> None:
    assert gupshup_sms_receipts.read({**SMS_QUERY, "status": status}) == []


@pytest.mark.parametrize("text", ["[" * 100_000, '{"response":' * 100_000, "{" * 100_000])
def test_nested_or_broken_text_is_no_report(text: str) -> None:
    assert gupshup_sms_receipts.read(text) == []


def test_of_a_batch_only_so_many_are_read() -> None:
    assert len(gupshup_sms_receipts.read([SMS_EVENT] * 1000)) == 100
    assert len(gupshup_sms_receipts.read(callbacks.SMS_BATCH * 1000)) == 100
