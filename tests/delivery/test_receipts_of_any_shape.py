"""Whatever a provider posts, nothing is raised, and what is kept is fit to be kept."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otp_service.delivery.providers import gupshup_receipts, gupshup_sms_receipts, meta_receipts
from otp_service.domain.messages import Receipt
from otp_service.domain.verification import DeliveryStatus
from tests.delivery import callbacks
from tests.delivery.callbacks import SMS_EVENT, SMS_QUERY, v2

patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**5000, 10**5001)
    | st.floats()
    | st.text()
    | st.text(st.characters(categories=["Cs", "L"]))  # JSON may have half a character
    | st.sampled_from(["sent", "failed", "delivered", "message-event", "1747136691", "000"])
)
NAMES = """
    type payload id gsId gs_id code reason ts timestamp entry changes value statuses status errors
    title message error_data details recipient_id destination response externalId eventType
    eventTs deliveredTS errCode cause destAddr phoneNo
"""
KEYS = st.sampled_from(NAMES.split())
JSON = st.recursive(SCALARS, lambda part: st.lists(part) | st.dictionaries(KEYS, part))


def mangled(body: Any, path: list[int], value: object) -> Any:
    """``body`` with one of its parts replaced."""
    if not path or not isinstance(body, dict | list) or not body:
        return value
    body = copy.copy(body)
    key = list(body)[path[0] % len(body)] if isinstance(body, dict) else path[0] % len(body)
    body[key] = mangled(body[key], path[1:], value)
    return body


def check(found: list[Receipt]) -> None:
    for receipt in found:
        assert receipt.message_id.strip()
        assert receipt.message_id.isprintable()
        assert len(receipt.message_id) <= 200
        assert (receipt.failure is None) == (receipt.status is not DeliveryStatus.FAILED)
        assert len(receipt.reason) <= 200
        assert receipt.reason == "" or receipt.reason.isprintable()
        assert "919876543210" not in receipt.reason
        assert receipt.at is None or receipt.at.utcoffset() == timedelta(0)


@patiently
@given(JSON)
def test_no_json_raises(body: object) -> None:
    for parse in (gupshup_receipts.read, meta_receipts.read, gupshup_sms_receipts.read):
        check(parse(body))


SAMPLES = [
    v2("failed", {"ts": 1747136691, "code": 1002, "reason": "919876543210 is not there"}),
    callbacks.V3_FAILED,
    SMS_EVENT,
    {"response": [SMS_QUERY, SMS_EVENT]},
    v2("failed", {"ts": 1747136691, "message": "half a character: \ud83d"}),
]


@patiently
@given(st.sampled_from(SAMPLES), st.lists(st.integers(0, 9), max_size=9), JSON)
def test_no_broken_part_of_a_real_body_raises(body: object, path: list[int], part: object) -> None:
    broken = mangled(body, path, part)
    for parse in (gupshup_receipts.read, meta_receipts.read, gupshup_sms_receipts.read):
        check(parse(broken))


@patiently
@given(st.text() | st.binary() | st.text(alphabet='{}[]":=, \n“externalIdeventTypeFAILED1'))
def test_no_text_raises(body: str | bytes) -> None:
    check(gupshup_sms_receipts.read(body))
