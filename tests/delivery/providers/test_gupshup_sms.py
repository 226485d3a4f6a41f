"""What is sent to Gupshup's SMS API, and what its answers mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from requests_mock import Mocker

from otp_service.delivery.providers.gupshup_sms import GupshupSms
from otp_service.delivery.providers.gupshup_sms_settings import SmsSettings
from otp_service.delivery.sender import HttpSender
from otp_service.domain import failures
from otp_service.domain.errors import (
    DeliveryError,
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
)
from otp_service.domain.failures import Failure
from otp_service.domain.messages import Message
from otp_service.domain.verification import Channel
from tests.delivery.account import CODE, MESSAGE, PHONE

URL = "https://sms.test/GatewayAPI/rest"
PASSWORD = "canary-pa55&word="
SETTINGS = SmsSettings("2000012345", PASSWORD, api_url=URL)
FORM = {
    "method": "SendMessage",
    "send_to": "919876543210",
    "msg": f"{CODE} is your verification code.",
    "msg_type": "TEXT",
    "userid": "2000012345",
    "auth_scheme": "plain",
    "password": PASSWORD,
    "v": "1.1",
    "format": "json",
}


def said(**response: object) -> dict[str, Any]:
    return {"json": {"response": response}}


def refusal(settings: SmsSettings = SETTINGS, **answer: Any) -> DeliveryError:
    with Mocker() as provider:
        provider.post(URL, **answer)
        with pytest.raises(DeliveryError) as caught:
            HttpSender(GupshupSms(settings)).send(MESSAGE)
    return caught.value


# --- the request ---


def test_the_request_is_exactly_what_gupshup_documents(requests_mock: Mocker) -> None:
    ok = {"id": "3940265861-1", "phone": "919876543210", "details": "", "status": "success"}
    requests_mock.post(URL, json={"response": ok})
    sender = HttpSender(GupshupSms(SETTINGS))
    assert sender.send(MESSAGE) == "3940265861-1"
    assert (sender.provider, sender.channel) == ("gupshup-sms", Channel.SMS)
    [request] = requests_mock.request_history
    assert (request.method, request.url) == ("POST", URL)  # nothing is in the URL
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(request.text)) == FORM


def test_indian_networks_get_what_was_registered_with_them() -> None:
    indian = replace(SETTINGS, principal_entity_id="1101", dlt_template_id="1107", mask="DEMOAP")
    assert GupshupSms(indian).request(MESSAGE).data == FORM | {
        "principalEntityId": "1101",
        "dltTemplateId": "1107",
        "mask": "DEMOAP",
    }


@pytest.mark.parametrize(
    ("text", "sent", "kind"),
    [
        ("{code}! {code}", f"{CODE}! {CODE}", "TEXT"),
        ("{code} for {minutes} min", f"{CODE} for 5 min", "TEXT"),
        ("`{code}`", f"`{CODE}`", "TEXT"),  # ASCII
        ("é ñ Ü € {code}", f"é ñ Ü € {CODE}", "TEXT"),  # GSM
        ("Tu código: {code}", f"Tu código: {CODE}", "Unicode_text"),
        ("{code} आपका कोड है", f"{CODE} आपका कोड है", "Unicode_text"),
        ("{code} is your code ✓", f"{CODE} is your code ✓", "Unicode_text"),
    ],
)
def test_the_text_is_the_operators(text: str, sent: str, kind: str) -> None:
    form = GupshupSms(replace(SETTINGS, text=text)).request(MESSAGE).data
    assert (form["msg"], form["msg_type"]) == (sent, kind)


@pytest.mark.parametrize(("seconds", "minutes"), [(1, "1"), (60, "1"), (179, "2"), (180, "3")])
def test_no_more_minutes_are_promised_than_there_are(seconds: int, minutes: str) -> None:
    settings = replace(SETTINGS, text="{code} {minutes}")
    form = GupshupSms(settings).request(Message(PHONE, CODE, expires_in=seconds)).data
    assert form["msg"] == f"{CODE} {minutes}"


# --- what answers mean ---


def test_the_older_answer_is_understood_too(requests_mock: Mocker) -> None:
    for word in ("success", "Success"):
        requests_mock.post(URL, text=f"{word} | 919876543210 | 3940265861-1\n")
        assert HttpSender(GupshupSms(SETTINGS)).send(MESSAGE) == "3940265861-1"


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("101", failures.CREDENTIALS_REJECTED),
        ("102", failures.CREDENTIALS_REJECTED),
        ("105", failures.INVALID_NUMBER),
        ("106", failures.REQUEST_REJECTED),
        ("175", failures.UNSUPPORTED_DESTINATION),
        ("1002", failures.REFUSED),  # WhatsApp's codes mean nothing here
        ("9999", failures.REFUSED),
    ],
)
def test_an_error_in_a_200_is_an_error(code: str, failure: Failure) -> None:
    for answer in (
        said(id=code, details="words", status="error"),
        said(id=int(code), details="words", status="error"),
        said(id=code, details="words", status="ERROR"),
        said(id=code, details="words", status="Failure"),
        {"text": f"error | {code} | words"},
        {"text": f"Error | {code} | words"},
    ):
        error = refusal(**answer)
        assert (type(error), error.failure) == (DeliveryFailed, failure)
        assert error.reason == f"{code}: words"


@pytest.mark.parametrize(
    "answer",
    [
        {"text": ""},
        {"text": "<html>"},
        {"text": "success"},
        {"text": "success | 919876543210"},
        {"text": "success | 919876543210 | "},
        {"json": {}},
        {"json": {"response": "success"}},
        said(status="success"),
        said(status="success", id=""),
        said(status="success", id="a\0b"),
    ],
)
def test_a_200_that_tells_no_id_may_have_been_accepted(answer: dict[str, Any]) -> None:
    assert type(refusal(**answer)) is DeliveryUnconfirmed


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, DeliveryFailed), (429, DeliveryUnavailable), (502, DeliveryUnavailable)],
)
def test_a_status_decides_when_there_is_no_code(status: int, error: type[DeliveryError]) -> None:
    assert type(refusal(status_code=status, text="error")) is error


# --- what is told ---


def test_the_reason_holds_neither_code_nor_password_nor_phone() -> None:
    words = f"{CODE} {PASSWORD} {PHONE}"
    for answer in (said(id="105", details=words, status="error"), {"text": f"error|105|{words}"}):
        assert refusal(**answer).reason == "105: … … +…3210"


def test_half_a_configuration_sends_nothing(requests_mock: Mocker) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        HttpSender(GupshupSms(SmsSettings())).send(MESSAGE)
    assert caught.value.reason == "not set: GUPSHUP_SMS_USERID, GUPSHUP_SMS_PASSWORD"
    assert caught.value.failure is failures.NOT_CONFIGURED
    assert not requests_mock.called


def test_debug_pages_mask_the_password() -> None:
    shown = GupshupSms(SETTINGS).preview(MESSAGE)
    assert shown["form"] == FORM | {"password": "••••ord="}
    assert (shown["method"], shown["url"]) == ("POST", URL)
    assert GupshupSms(SETTINGS).describe() == {
        "provider": "gupshup-sms",
        "user_id": "2000012345",
        "password": "••••ord=",
        "text": "{code} is your verification code.",
        "principal_entity_id": "",
        "dlt_template_id": "",
        "mask": "",
        "api_url": URL,
        "missing": [],
    }
    sender = HttpSender(GupshupSms(SETTINGS))
    assert PASSWORD not in repr(SETTINGS) + repr(sender) + repr(vars(sender))
