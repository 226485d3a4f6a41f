"""What is understood of what Meta posts later, and whether Meta did."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otp_service.delivery.providers import meta_receipts
from otp_service.domain import failures
from otp_service.domain.verification import DeliveryStatus
from tests.delivery import callbacks
from tests.delivery.callbacks import envelope, signed


@pytest.mark.parametrize(
    "errors", [{"code": 131042}, [{"error": {"code": 131042}}], ["x", {"code": 131042}]]
)
def test_errors_are_read_whether_listed_or_not(errors: object) -> None:
    [receipt] = meta_receipts.read(
        envelope({"id": "wamid.x", "status": "failed", "errors": errors})
    )
    assert receipt.failure is failures.BALANCE_EMPTY


OURS = "0123456789abcdef0123456789abcdef"


def test_a_failed_one_keeps_it_too() -> None:
    status = {"id": "wamid.x", "status": "failed", "biz_opaque_callback_data": OURS}
    [receipt] = meta_receipts.read(envelope(status | {"errors": [{"code": 131026}]}))
    assert (receipt.delivery_id, receipt.failure) == (OURS, failures.UNDELIVERABLE)


def test_a_person_with_a_user_name_may_have_no_phone_in_a_status() -> None:
    status = {"id": "wamid.x", "status": "delivered", "recipient_user_id": "US.1234567890"}
    [receipt] = meta_receipts.read(envelope(status))
    assert (receipt.message_id, receipt.status) == ("wamid.x", DeliveryStatus.DELIVERED)


def test_meta_s_own_webhook_has_meta_s_ids() -> None:
    [receipt] = meta_receipts.read(envelope(callbacks.V3_FAILED_STATUS))
    assert (receipt.provider, receipt.status) == ("meta", DeliveryStatus.FAILED)
    assert receipt.message_id == "wamid.HBgMOTE5OTgwODkwOTc4FQIAERgSNERF"
    assert receipt.failure is failures.REQUEST_REJECTED


def test_meta_has_no_version_2() -> None:
    assert meta_receipts.read(callbacks.DELIVERED) == []


BODY = json.dumps(envelope({"id": "wamid.x", "status": "read"})).encode()


def test_only_metas_signature_over_these_very_bytes_is_authentic() -> None:
    assert meta_receipts.is_authentic(BODY, signed(BODY, "app-secret"), "app-secret")
    for header in (
        None,
        "",
        "sha256=",
        signed(BODY, "another"),
        signed(BODY + b" ", "app-secret"),
        signed(BODY, "app-secret").removeprefix("sha256="),
        signed(BODY, "app-secret").upper(),
        signed(BODY, "app-secret") + "0",
        "sha256=é\udcff",
    ):
        assert not meta_receipts.is_authentic(BODY, header, "app-secret")


def test_without_an_app_secret_nothing_is_authentic() -> None:
    assert not meta_receipts.is_authentic(BODY, signed(BODY, ""), "")


patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@patiently
@given(st.binary(), st.none() | st.text(), st.text())
def test_no_header_raises(body: bytes, header: str | None, secret: str) -> None:
    assert not meta_receipts.is_authentic(body, header, secret)
