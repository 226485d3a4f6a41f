"""What is understood of what providers post later."""

from __future__ import annotations

import copy
import json
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otp_service.delivery.failure_codes import FAMILIES, SMS_RECEIPT, WHATSAPP
from otp_service.delivery.providers import gupshup_receipts, gupshup_sms_receipts, meta_receipts
from otp_service.domain import failures
from otp_service.domain.failures import Failure
from otp_service.domain.messages import Receipt
from otp_service.domain.verification import DeliveryStatus, Price
from tests.delivery import callbacks
from tests.delivery.callbacks import envelope, signed, v2

GS_ID = "1a6207e5-af37-4fc8-948a-25867d3ab077"


def utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def gupshup(
    message_id: str,
    status: str,
    at: float | None,
    failure: Failure | None = None,
    reason: str = "",
) -> Receipt:
    when = None if at is None else utc(at)
    return Receipt("gupshup", message_id, DeliveryStatus(status), when, failure, reason)


def failed(facts: dict[str, Any], **event: Any) -> Receipt:
    [receipt] = gupshup_receipts.read(v2("failed", facts, **event))
    return receipt


# --- Gupshup, version 2 ---


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
    [receipt] = gupshup_sms_receipts.read({**QUERY, "errCode": "099", "cause": cause})
    assert (receipt.failure, receipt.reason) == (failure, f"099: {cause}")


def test_an_sms_report_without_a_cause_tells_neither_token_nor_long_numbers() -> None:
    told = {**QUERY, "errCode": "8306147", "cause": "", "token": "the-hooks-secret"}
    [receipt] = gupshup_sms_receipts.read(told)
    assert receipt.failure is failures.REFUSED
    assert receipt.reason == '{"status": "FAILURE", "errCode": "••••…"}'


def test_a_failure_is_explained_in_an_object_inside_too() -> None:
    receipt = failed({"error": {"code": "132000", "message": "Param mismatch"}})
    assert receipt.failure is failures.TEMPLATE_REJECTED
    assert receipt.reason == "132000: Param mismatch"


def test_a_failure_is_explained_beside_its_type_too() -> None:
    body: Any = v2("failed", {})
    for facts in ({}, None, {"ts": 1747136691}):
        body["payload"] |= {"payload": facts, "code": "1003", "reason": "low balance"}
        [receipt] = gupshup_receipts.read(body)
        assert (receipt.failure, receipt.reason) == (failures.BALANCE_EMPTY, "1003: low balance")


@pytest.mark.parametrize(
    "errors", [{"code": 131042}, [{"error": {"code": 131042}}], ["x", {"code": 131042}]]
)
def test_errors_are_read_whether_listed_or_not(errors: object) -> None:
    [receipt] = meta_receipts.read(
        envelope({"id": "wamid.x", "status": "failed", "errors": errors})
    )
    assert receipt.failure is failures.BALANCE_EMPTY


def test_facts_of_any_shape_are_just_not_there() -> None:
    shapes: list[Any] = ["x", [], None, 5]
    for facts in shapes:
        body: Any = v2("failed", {})
        body["payload"]["payload"] = facts
        [receipt] = gupshup_receipts.read(body)
        assert (receipt.failure, receipt.at) == (failures.REFUSED, utc(1747136693.404))


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


# --- Gupshup, version 3 ---


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


# --- what both bring back: the id that we gave with the message ---

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


def test_a_failed_one_keeps_it_too() -> None:
    status = {"id": "wamid.x", "status": "failed", "biz_opaque_callback_data": OURS}
    [receipt] = meta_receipts.read(envelope(status | {"errors": [{"code": 131026}]}))
    assert (receipt.delivery_id, receipt.failure) == (OURS, failures.UNDELIVERABLE)


def test_a_person_with_a_user_name_may_have_no_phone_in_a_status() -> None:
    status = {"id": "wamid.x", "status": "delivered", "recipient_user_id": "US.1234567890"}
    [receipt] = meta_receipts.read(envelope(status))
    assert (receipt.message_id, receipt.status) == ("wamid.x", DeliveryStatus.DELIVERED)


# --- Meta ---


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


# --- SMS ---


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
QUERY = {
    "externalId": "3798318073013708082-252169030017029882",
    "deliveredTS": "1626347800000",
    "status": "FAILURE",
    "cause": "UNKNOWN_SUBSCRIBER",
    "phoneNo": "919876543210",
    "errCode": "003",
    "noOfFrags": "1",
    "mask": "TESTIN",
}
EVENT = {
    "externalId": "3798318073013708082-252169030017029882",
    "eventType": "FAILED",
    "eventTs": 1626347800000,
    "destAddr": 919876543210,
    "cause": "UNKNOWN_SUBSCRIBER",
    "errCode": 3,
}


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
        QUERY,
        {**QUERY, "status": "failure"},
        EVENT,
        [EVENT],
        [5, EVENT, None],
        {"response": [EVENT]},
        {"response": json.dumps([EVENT])},
        {json.dumps([EVENT]): ""},  # JSON, read as a form
        json.dumps([EVENT]),
        json.dumps(EVENT),
        json.dumps({"response": [EVENT]}),
        "response=" + json.dumps([EVENT]),
        "response=" + json.dumps([EVENT], indent=1),
        f"[response={json.dumps([EVENT])}]",
        str([EVENT]),  # single quotes
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
        [receipt] = gupshup_sms_receipts.read({**QUERY, "errCode": told, "cause": "whatever"})
        assert receipt.failure is failure
        assert receipt.reason.startswith(f"{code}: ")
    assert code == "010" or code in FAMILIES[SMS_RECEIPT]


def test_a_report_without_a_code_is_a_refusal() -> None:
    [receipt] = gupshup_sms_receipts.read({**QUERY, "errCode": "", "cause": "to 919876543210"})
    assert (receipt.failure, receipt.reason) == (failures.REFUSED, "to …")


@pytest.mark.parametrize("status", ["UNKNOWN", "", None, "SUBMITTED", 5])
def test_a_report_that_does_not_know_is_none(status: object) -> None:
    assert gupshup_sms_receipts.read({**QUERY, "status": status}) == []


@pytest.mark.parametrize("text", ["[" * 100_000, '{"response":' * 100_000, "{" * 100_000])
def test_nested_or_broken_text_is_no_report(text: str) -> None:
    assert gupshup_sms_receipts.read(text) == []


def test_of_a_batch_only_so_many_are_read() -> None:
    assert len(gupshup_sms_receipts.read([EVENT] * 1000)) == 100
    assert len(gupshup_sms_receipts.read(callbacks.SMS_BATCH * 1000)) == 100


# --- whatever may come ---

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
    EVENT,
    {"response": [QUERY, EVENT]},
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


@patiently
@given(st.binary(), st.none() | st.text(), st.text())
def test_no_header_raises(body: bytes, header: str | None, secret: str) -> None:
    assert not meta_receipts.is_authentic(body, header, secret)
