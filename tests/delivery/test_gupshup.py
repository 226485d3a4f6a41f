"""What is sent to Gupshup, and what its answers mean."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from requests_mock import Mocker

from otp_service.delivery import outcomes
from otp_service.delivery.gupshup import (
    GupshupSender,
    GupshupSettings,
    build_request,
    describe,
    preview,
)
from otp_service.delivery.outcomes import ERRORS, KINDS, Kind, scrub
from otp_service.domain.errors import (
    DeliveryError,
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
)
from otp_service.domain.ports import Message, Sender
from otp_service.domain.verification import Channel

KEY = "sk-canary-key-0123456789abcdef"
CODE = "048213"
PHONE = "+919876543210"
URL = "https://gupshup.test/wa/api/v1/template/msg"
SETTINGS = GupshupSettings(KEY, "+91 78348 11114", "tpl-uuid", "MyOtpApp", URL)
MESSAGE = Message(PHONE, CODE, expires_in=300)


@pytest.fixture
def sender() -> Sender:
    return GupshupSender(SETTINGS)


def refusal(sender: Sender, **answer: Any) -> DeliveryError:
    with Mocker() as gupshup:
        gupshup.post(URL, **answer)
        with pytest.raises(DeliveryError) as caught:
            sender.send(MESSAGE)
    return caught.value


# --- the request ---


def test_the_request_is_exactly_what_gupshup_documents(
    requests_mock: Mocker, sender: Sender
) -> None:
    requests_mock.post(URL, status_code=202, json={"status": "submitted", "messageId": "id-1"})
    assert sender.send(MESSAGE) == "id-1"
    [request] = requests_mock.request_history
    assert request.method == "POST"
    assert request.headers["apikey"] == KEY
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    form = dict(parse_qsl(request.text))
    assert json.loads(form.pop("template")) == {"id": "tpl-uuid", "params": [CODE]}
    assert form == {
        "channel": "whatsapp",
        "source": "917834811114",
        "src.name": "MyOtpApp",
        "destination": "919876543210",
    }


def test_a_template_with_a_copy_button_gets_the_code_twice() -> None:
    request = build_request(GupshupSettings(param_count=2), MESSAGE)
    assert json.loads(request.data["template"])["params"] == [CODE, CODE]


def test_a_code_or_name_with_json_in_it_stays_a_string() -> None:
    request = build_request(SETTINGS, Message(PHONE, '"],"id":"x', expires_in=300))
    assert json.loads(request.data["template"]) == {"id": "tpl-uuid", "params": ['"],"id":"x']}


def test_the_sender_is_whatsapp_through_gupshup(sender: Sender) -> None:
    assert (sender.provider, sender.channel) == ("gupshup", Channel.WHATSAPP)


# --- what debug pages show ---


def test_the_preview_is_the_request_with_the_key_masked(
    requests_mock: Mocker, sender: Sender
) -> None:
    requests_mock.post(URL, json={"messageId": "id-1"})
    sender.send(MESSAGE)
    shown = preview(SETTINGS, MESSAGE)
    [sent] = requests_mock.request_history
    assert (shown["method"], shown["url"]) == (sent.method, sent.url)
    assert shown["form"] == dict(parse_qsl(sent.text))
    assert shown["headers"] == {
        "apikey": "••••cdef",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def test_the_description_masks_the_key_and_names_what_is_missing() -> None:
    assert describe(GupshupSettings(KEY, source="917834811114", param_count=2)) == {
        "provider": "gupshup",
        "api_url": "https://api.gupshup.io/wa/api/v1/template/msg",
        "api_key": "••••cdef",
        "source": "917834811114",
        "template_id": "",
        "src_name": "",
        "param_count": 2,
        "missing": ["GUPSHUP_TEMPLATE_ID", "GUPSHUP_SRC_NAME"],
    }


@pytest.mark.parametrize(("key", "shown"), [("", ""), ("abcdefghijk", "••••"), (KEY, "••••cdef")])
def test_a_short_key_is_masked_completely(key: str, shown: str) -> None:
    assert describe(GupshupSettings(key))["api_key"] == shown


def test_debug_pages_work_when_nothing_is_configured() -> None:
    nothing = GupshupSettings()
    assert describe(nothing)["missing"] == [
        "GUPSHUP_API_KEY",
        "GUPSHUP_SOURCE",
        "GUPSHUP_TEMPLATE_ID",
        "GUPSHUP_SRC_NAME",
    ]
    assert preview(nothing, MESSAGE)["method"] == "POST"


def test_nothing_is_sent_with_half_a_configuration(requests_mock: Mocker) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        GupshupSender(GupshupSettings(KEY, "917834811114")).send(MESSAGE)
    assert caught.value.reason == "not set: GUPSHUP_TEMPLATE_ID, GUPSHUP_SRC_NAME"
    assert not requests_mock.called


@pytest.mark.parametrize("key", [f"{KEY}\n", f"{KEY}\r\nX: y", f"{KEY}\u20ac"])
def test_a_key_that_fits_no_header_is_refused_without_being_told(
    requests_mock: Mocker, key: str
) -> None:
    requests_mock.post(URL, json={"messageId": "id-1"})
    with pytest.raises(DeliveryFailed) as caught:
        GupshupSender(GupshupSettings(key, "1", "t", "n", URL)).send(MESSAGE)
    assert KEY not in repr(vars(caught.value))
    assert caught.value.__context__ is None
    assert not requests_mock.called


@pytest.mark.parametrize("url", ["nowhere", "ftp://gupshup.test/", "http://"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(DeliveryFailed, match=DeliveryFailed.message):
        GupshupSender(GupshupSettings(KEY, "1", "t", "n", url)).send(MESSAGE)


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
