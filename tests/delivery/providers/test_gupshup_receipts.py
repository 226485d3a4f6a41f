"""What is understood of what Gupshup posts later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from otp_service.delivery.providers import gupshup_receipts
from otp_service.domain import failures
from otp_service.domain.failures import Failure
from otp_service.domain.messages import Receipt
from otp_service.domain.verification import DeliveryStatus, Price
from tests.delivery import callbacks
from tests.delivery.callbacks import envelope, utc, v2

GS_ID = "1a6207e5-af37-4fc8-948a-25867d3ab077"


def gupshup(
    message_id: str,
    status: str,
    at: float | None,
    failure: Failure | None = None,
    reason: str = "",
) -> Receipt:
    when = None if at is None else utc(at)
    return Receipt("gupshup", message_id, DeliveryStatus(status), when, failure, reason)


@pytest.mark.parametrize(
    ("body", "receipt"),
    [
        (
            callbacks.FAILED_AT_GUPSHUP,  # no gsId: ``id`` is what the send answered
            gupshup(
                "d6732472-6073-478b-9d16-8ab2e1b042e1",
                "failed",
                1616513437.223,
                failures.NOT_ON_WHATSAPP,
                "1002: Number Does Not Exists On WhatsApp",
            ),
        ),
        (
            callbacks.FAILED_AT_META,
            gupshup(
                "72f61f22-5aa4-4615-a970-943edf6da01c",
                "failed",
                1663138637.856,
                failures.REQUEST_REJECTED,
                "470: Message failed to send because more than 24 hours",
            ),
        ),
        (
            callbacks.FAILED_TEMPLATE,
            gupshup(
                "e0058485-4fa3-415f-b299-d47274e2017f",
                "failed",
                1617133991.906,
                failures.TEMPLATE_REJECTED,
                "1005: template did not match",
            ),
        ),
        (
            callbacks.FAILED_WITHOUT_REASON,  # and its time is a text
            gupshup(
                "853bab23-0963-42c7-8436-7fe4f5866c76",
                "failed",
                1592311836,
                failures.NOT_ON_WHATSAPP,
                "1002",
            ),
        ),
        (
            callbacks.SENT,
            replace(
                gupshup("ee4a68a0-1203-4c85-8dc3-49d0b3226a35", "sent", 1585344475),
                price=Price("authentication", None, "PMP"),
            ),
        ),
        (callbacks.DELIVERED, gupshup(GS_ID, "delivered", 1747136691)),
        (callbacks.READ, gupshup("5336429d-b867-4782-afc1-218aa4639bd3", "read", 1600888661)),
    ],
)
def test_every_documented_event_of_version_2(body: object, receipt: Receipt) -> None:
    assert gupshup_receipts.read(body) == [receipt]


@pytest.mark.parametrize(
    "body",
    [
        callbacks.ENQUEUED,
        callbacks.MISMATCH,
        callbacks.TEST_HIT,
        callbacks.TEMPLATE_EVENT,
        callbacks.BILLING_EVENT | {"payload": {"references": {"gsId": GS_ID}}},
        callbacks.INCOMING_MESSAGE,
        callbacks.V3_TEST_HIT,
        v2("deleted", {"ts": 1747136691}),
        v2("delivered", {"ts": 1747136691}, id=None, gsId=None),
        v2("delivered", {"ts": 1747136691}, gsId="a\0b", id="x" * 201),
        {**callbacks.DELIVERED, "type": "account-event"},
        {"type": "message-event"},
        {"type": "message-event", "payload": "delivered"},
        {},
        [],
        [callbacks.DELIVERED],
        "",
        5,
        None,
    ],
)
def test_what_is_no_receipt_is_left_out(body: object) -> None:
    assert gupshup_receipts.read(body) == []


@pytest.mark.parametrize(("told", "kept"), [(12345, "12345"), (" id-1 ", "id-1"), ("", "wa-1")])
def test_ids_may_be_numbers_or_missing(told: object, kept: str) -> None:
    [receipt] = gupshup_receipts.read(v2("read", {}, gsId=told, id="wa-1"))
    assert receipt.message_id == kept


def test_a_failure_is_explained_beside_its_type_too() -> None:
    body: Any = v2("failed", {})
    for facts in ({}, None, {"ts": 1747136691}):
        body["payload"] |= {"payload": facts, "code": "1003", "reason": "low balance"}
        [receipt] = gupshup_receipts.read(body)
        assert (receipt.failure, receipt.reason) == (failures.BALANCE_EMPTY, "1003: low balance")


def test_facts_of_any_shape_are_just_not_there() -> None:
    shapes: list[Any] = ["x", [], None, 5]
    for facts in shapes:
        body: Any = v2("failed", {})
        body["payload"]["payload"] = facts
        [receipt] = gupshup_receipts.read(body)
        assert (receipt.failure, receipt.at) == (failures.REFUSED, utc(1747136693.404))


def test_the_documented_failure_of_version_3_comes_to_the_same_url() -> None:
    assert gupshup_receipts.read(callbacks.V3_FAILED) == [
        gupshup(
            "91f58e90-f5ba-4cfc-9ca7-e4ab965b9449",
            "failed",
            1710941507,
            failures.REQUEST_REJECTED,
            "131047: Message failed to send...",
        )
    ]


def test_several_statuses_come_in_one_body_with_others_between() -> None:
    times: list[object] = ["1710941507", 1710941507, 1710941507000, "1710941507000"]
    sent = [
        {"gs_id": f"gs-{i}", "status": "sent", "timestamp": told} for i, told in enumerate(times)
    ]
    enqueued = {"gs_id": "gs-0", "status": "enqueued", "timestamp": 1710941507000}
    body = envelope(enqueued, *sent, {"type": "set-callback"})
    body["entry"].append({"changes": [{"value": {"statuses": [sent[0]]}}, {"value": None}, 5]})
    expected = [gupshup(f"gs-{i}", "sent", 1710941507) for i in (0, 1, 2, 3, 0)]
    assert gupshup_receipts.read(body) == expected


def test_without_gupshups_id_metas_is_used() -> None:
    useless: list[Any] = [None, "", [], "a\0b"]
    for gs_id in useless:
        body = envelope({"gs_id": gs_id, "id": "wamid.x", "status": "read"})
        assert gupshup_receipts.read(body) == [gupshup("wamid.x", "read", None)]


@pytest.mark.parametrize(
    ("facts", "failure", "reason"),
    [
        ({"code": "1002", "reason": "Not there"}, failures.NOT_ON_WHATSAPP, "1002: Not there"),
        ({"errors": [{"code": 131026, "title": "T"}]}, failures.UNDELIVERABLE, "131026: T"),
        (
            {
                "errors": [
                    {
                        "code": 131026,
                        "title": "Message undeliverable",
                        "message": "Message undeliverable",
                        "error_data": {"details": "Message Undeliverable."},
                    }
                ]
            },
            failures.UNDELIVERABLE,
            "131026: Message undeliverable",
        ),
        (
            {"errors": [{"code": 131042, "message": "M", "error_data": {"details": "D"}}]},
            failures.BALANCE_EMPTY,
            "131042: M: D",
        ),
        ({"errors": [], "code": 131049}, failures.RECIPIENT_CAPPED, "131049"),
        ({"errors": [{"code": 1, "title": "to 919876543210"}]}, failures.PROVIDER_DOWN, "1: to …"),
    ],
)
def test_a_failure_is_explained_in_errors_or_flat(
    facts: dict[str, Any], failure: Failure, reason: str
) -> None:
    status = {"gs_id": "gs", "status": "failed", "recipient_id": "919876543210"} | facts
    expected = gupshup("gs", "failed", None, failure, reason)
    assert gupshup_receipts.read(envelope(status)) == [expected]
