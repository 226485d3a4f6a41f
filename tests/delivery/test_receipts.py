"""What all providers' receipts share: codes, reasons, times, and the id that was ours."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from otp_service.delivery.failure_codes import FAMILIES, WHATSAPP
from otp_service.delivery.providers import gupshup_receipts, meta_receipts
from otp_service.domain import failures
from otp_service.domain.failures import Failure
from otp_service.domain.messages import Receipt
from tests.delivery.callbacks import envelope, utc, v2


def failed(facts: dict[str, Any], **event: Any) -> Receipt:
    [receipt] = gupshup_receipts.read(v2("failed", facts, **event))
    return receipt


@pytest.mark.parametrize("kind", ["failed", "FAILED"])
@pytest.mark.parametrize("code", [131026, "131026", " 131026 ", 131026.0])
def test_codes_may_be_numbers_or_texts(code: object, kind: str) -> None:
    [receipt] = gupshup_receipts.read(v2(kind, {"code": code, "reason": "Message undeliverable"}))
    assert receipt.failure is failures.UNDELIVERABLE
    assert receipt.reason == "131026: Message undeliverable"


@pytest.mark.parametrize("code", sorted(filter(str.isdigit, FAMILIES[WHATSAPP])))
def test_every_code_means_in_a_receipt_what_it_means_in_an_answer(code: str) -> None:
    assert failed({"code": code}).failure is FAMILIES[WHATSAPP][code]
    assert failed({"code": int(code)}).failure is FAMILIES[WHATSAPP][code]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"code": 987654, "reason": "New kind of trouble"}, "987654: New kind of trouble"),
        ({"code": 98765432101, "reason": "x"}, "••••2101: x"),  # as likely a phone
        ({"code": "no code, a sentence", "reason": "x"}, "x"),
        ({"code": True, "reason": "x"}, "x"),
        ({"code": [1002], "reason": ["x"]}, '{"code": […], "reason": ["x"]}'),
        ({"reason": "x"}, "x"),
        ({"code": 2494999, "reason": "x"}, "2494999: x"),
        (
            {"code": 9999, "what": "048213 to +91 98765 43210"},
            '9999: {"code": …, "what": "… to +…"}',
        ),
    ],
)
def test_an_unknown_code_is_a_refusal_and_its_reason_is_kept(
    facts: dict[str, Any], reason: str
) -> None:
    receipt = failed(facts)
    assert (receipt.failure, receipt.reason) == (failures.REFUSED, reason)


def test_without_code_and_words_the_reason_is_what_was_posted() -> None:
    assert failed({}).reason.startswith('{"id": "…fd-55e9-')
    [receipt] = meta_receipts.read(envelope({"id": "wamid.x", "status": "failed", "errors": "x"}))
    assert receipt.reason == '{"id": "wamid.x", "status": "failed", "errors": "x"}'


@pytest.mark.parametrize(
    ("reason", "failure"),
    [
        ("low balance", failures.BALANCE_EMPTY),
        ("Wallet Balance Low", failures.BALANCE_EMPTY),
        ("Number Does Not Exists On WhatsApp", failures.NOT_ON_WHATSAPP),
        ("Template is paused", failures.TEMPLATE_PAUSED),
        ("Template did not match", failures.TEMPLATE_REJECTED),
        ("User has opted out", failures.OPTED_OUT),
        ("New kind of trouble", failures.REFUSED),
    ],
)
@pytest.mark.parametrize("code", [9999, "9999", None])
def test_words_decide_where_the_code_is_in_no_list(
    reason: str, failure: Failure, code: object
) -> None:
    assert failed({"code": code, "reason": reason}).failure is failure
    status = {"gs_id": "gs", "status": "failed", "errors": [{"code": code, "title": reason}]}
    [receipt] = gupshup_receipts.read(envelope(status))
    assert receipt.failure is failure


def test_a_failure_is_explained_in_an_object_inside_too() -> None:
    receipt = failed({"error": {"code": "132000", "message": "Param mismatch"}})
    assert receipt.failure is failures.TEMPLATE_REJECTED
    assert receipt.reason == "132000: Param mismatch"


@pytest.mark.parametrize(
    ("destination", "words", "kept"),
    [
        ("919876543210", "919876543210 is not on WhatsApp", "… is not on WhatsApp"),
        (919876543210, "+91 98765 43210, +91-98765-43210", "+…, +…"),
        ("29012", "no 29012 here", "no … here"),  # too short to look like a phone
        ("919876543210", "wa_id 5593587654321", "wa_id ••••4321"),
        ("1", "131026 again", "131026 again"),
        (None, "a\r\nb\0c" + "x" * 500, "a  b c" + "x" * 189),
    ],
)
def test_the_reason_is_scrubbed(destination: object, words: str, kept: str) -> None:
    receipt = failed({"code": 470, "reason": words}, destination=destination)
    assert receipt.reason == f"470: {kept}"


@pytest.mark.parametrize(
    ("ts", "at"),
    [
        (1747136691, 1747136691),
        ("1747136691", 1747136691),
        (1747136691.5, 1747136691.5),
        (1747136691250, 1747136691.25),  # milliseconds, by their size
        ("1747136691250", 1747136691.25),
    ],
)
def test_times_are_seconds_or_milliseconds_and_aware(ts: object, at: float) -> None:
    [receipt] = gupshup_receipts.read(v2("sent", {"ts": ts}))
    assert receipt.at == utc(at)
    assert receipt.at is not None
    assert receipt.at.utcoffset() == timedelta(0)


ABSURD = [
    0,
    -1747136691,
    1577836799,  # 2019
    1577836799999,
    1747136691250000,  # microseconds
    10**30,
    "9" * 400,
    float("inf"),
    float("nan"),
    "yesterday",
    "",
    True,
    [],
    None,
]


@pytest.mark.parametrize("ts", ABSURD)
def test_an_absurd_time_is_none_and_the_envelopes_is_used(ts: object) -> None:
    body = v2("sent", {"ts": ts})
    assert gupshup_receipts.read(body)[0].at == utc(1747136693.404)
    assert gupshup_receipts.read({**body, "timestamp": ts})[0].at is None


def test_a_day_ahead_is_possible_and_two_are_not() -> None:
    now = time.time()
    assert gupshup_receipts.read(v2("sent", {"ts": now + 80_000}))[0].at == utc(now + 80_000)
    body = {**v2("sent", {"ts": now + 90_000}), "timestamp": None}
    assert gupshup_receipts.read(body)[0].at is None


OURS = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(("told", "kept"), [(OURS, OURS), ("", None), (5, None), ("x" * 41, None)])
def test_a_status_may_bring_back_the_id_that_we_gave_with_the_message(
    told: object, kept: str | None
) -> None:
    status = {"id": "wamid.x", "status": "delivered", "biz_opaque_callback_data": told}
    [of_meta] = meta_receipts.read(envelope(status))
    [of_gupshup] = gupshup_receipts.read(envelope(status | {"gs_id": "gs"}))
    [flat] = gupshup_receipts.read(v2("delivered", {"ts": 1}, biz_opaque_callback_data=told))
    [deep] = gupshup_receipts.read(v2("delivered", {"biz_opaque_callback_data": told}))
    for receipt in (of_meta, of_gupshup, flat, deep):
        assert receipt.delivery_id == kept
