"""What is sent to Meta's Cloud API, and what its answers mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from requests_mock import Mocker

from otp_service.delivery.guarded_sender import GuardedSender
from otp_service.delivery.providers.meta import Meta
from otp_service.delivery.providers.meta_settings import MetaSettings
from otp_service.delivery.sender import HttpSender
from otp_service.domain import failures
from otp_service.domain.errors import (
    DeliveryError,
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
)
from otp_service.domain.messages import Message
from otp_service.domain.verification import Channel
from tests.delivery.account import CODE, MESSAGE, PHONE

TOKEN = "EAAcanary0123456789token"
SETTINGS = MetaSettings(
    TOKEN, "158072934066266", "verification_code", api_url="https://graph.test/v23.0"
)
URL = "https://graph.test/v23.0/158072934066266/messages"
BODY = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": "919876543210",
    "type": "template",
    "template": {
        "name": "verification_code",
        "language": {"code": "en_US"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": CODE}]},
            {
                "type": "button",
                "sub_type": "url",
                "index": "0",
                "parameters": [{"type": "text", "text": CODE}],
            },
        ],
    },
}
ACCEPTED = {
    "messaging_product": "whatsapp",
    "contacts": [{"input": "919876543210", "wa_id": "919876543210"}],
    "messages": [{"id": "wamid.HBgMOTE5ODc2NTQzMjEwFQIAERgS"}],
}


def refusal(**answer: Any) -> DeliveryError:
    with Mocker() as provider:
        provider.post(URL, **answer)
        with pytest.raises(DeliveryError) as caught:
            HttpSender(Meta(SETTINGS)).send(MESSAGE)
    return caught.value


# --- the request ---


def test_the_request_is_exactly_what_meta_documents(requests_mock: Mocker) -> None:
    requests_mock.post(URL, json=ACCEPTED)
    sender = HttpSender(Meta(SETTINGS))
    assert sender.send(MESSAGE) == "wamid.HBgMOTE5ODc2NTQzMjEwFQIAERgS"
    assert (sender.provider, sender.channel) == ("meta", Channel.WHATSAPP)
    [request] = requests_mock.request_history
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["Content-Type"] == "application/json"
    assert request.json() == BODY


def test_meta_is_given_our_own_id_to_bring_back_with_each_status() -> None:
    message = replace(MESSAGE, delivery_id="0123456789abcdef0123456789abcdef")
    body: Any = Meta(SETTINGS).request(message).json
    assert body == BODY | {"biz_opaque_callback_data": "0123456789abcdef0123456789abcdef"}


@pytest.mark.parametrize(
    ("locale", "code"), [("pt-br", "pt_BR"), ("pt", "pt_BR"), ("de", "es"), (None, "es")]
)
def test_the_language_is_one_that_the_template_has(locale: str | None, code: str) -> None:
    settings = replace(SETTINGS, languages=("es", "pt_BR"))
    body: Any = Meta(settings).request(Message(PHONE, CODE, 300, locale)).json
    assert body["template"]["language"] == {"code": code}


# --- what answers mean ---


def test_an_error_is_told_with_its_code_and_each_thing_once() -> None:
    trouble = {
        "message": "(#132000) Number of parameters does not match the expected number of params",
        "type": "OAuthException",
        "code": 132000,
        "error_data": {"details": "body: number of localizable_params (2) is not 1"},
        "fbtrace_id": "AbCdEf",
    }
    error = refusal(status_code=400, json={"error": trouble})
    assert error.failure is failures.TEMPLATE_REJECTED
    assert error.reason == (
        "132000: Number of parameters does not match the expected number of params: "
        "body: number of localizable_params (2) is not 1"
    )


@pytest.mark.parametrize(
    ("status", "code", "failure"),
    [
        (401, 190, failures.CREDENTIALS_REJECTED),
        (403, "10", failures.CREDENTIALS_REJECTED),
        (400, 131026, failures.UNDELIVERABLE),
        (400, 100, failures.REQUEST_REJECTED),
        (400, 131030, failures.SENDER_NOT_READY),
        (400, 4, failures.RATE_LIMITED),
        (400, 131056, failures.RECIPIENT_RATE_LIMITED),
        (500, 131016, failures.PROVIDER_DOWN),
        (200, 190, failures.CREDENTIALS_REJECTED),
        (400, 999999, failures.REFUSED),
        (503, None, failures.PROVIDER_DOWN),
        (401, None, failures.CREDENTIALS_REJECTED),
    ],
)
def test_codes_mean_what_they_mean_through_gupshup(
    status: int, code: object, failure: failures.Failure
) -> None:
    error = refusal(status_code=status, json={"error": {"message": "words", "code": code}})
    assert error.failure is failure
    assert error.reason == (f"{code}: words" if code else "words")


def test_a_rate_limit_tells_when_to_come_back() -> None:
    body = {"error": {"message": "slow down", "code": 130429}}
    error = refusal(status_code=429, json=body, headers={"Retry-After": "17"})
    assert (type(error), error.retry_after) == (DeliveryUnavailable, 17)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"messages": []},
        {"messages": {"id": "x"}},
        {"messages": [{}]},
        {"messages": [{"id": ""}]},
        {"messages": ["wamid"]},
    ],
)
def test_a_2xx_that_tells_no_id_may_have_been_accepted(body: object) -> None:
    assert type(refusal(json=body)) is DeliveryUnconfirmed


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("error", [None, [], 5, {"message": 5, "code": {}}])
def test_an_error_of_any_shape_is_a_refusal(error: object, status: int) -> None:
    refused = refusal(status_code=status, json={"error": error} | ACCEPTED)
    assert type(refused) is DeliveryFailed
    assert refused.reason.startswith(f'HTTP {status}: {{"error": ')


def test_an_error_may_be_a_text() -> None:
    assert refusal(json=ACCEPTED | {"error": "words"}).reason == "words"


@pytest.mark.parametrize(
    ("status", "error", "failure"),
    [
        (500, {"code": 3}, failures.CREDENTIALS_REJECTED),
        (400, {"code": 131064}, failures.ACCOUNT_RESTRICTED),
        (400, {"code": 130403}, failures.RECIPIENT_BLOCKED),
        (400, {"code": 33}, failures.SENDER_NOT_READY),
        (400, {"code": 131021}, failures.RECIPIENT_IS_SENDER),
        (400, {"code": 131043}, failures.MESSAGE_EXPIRED),
        (
            400,
            {
                "code": 131008,
                "error_data": {
                    "details": "buttons: Button at index 0 of type Url requires a parameter"
                },
            },
            failures.TEMPLATE_REJECTED,
        ),
        (
            400,
            {
                "code": 100,
                "error_subcode": 33,
                "message": "Unsupported post request. Object with ID '100000000000001' does not "
                "exist",
            },
            failures.SENDER_NOT_READY,
        ),
        (400, {"message": "(#2494100) Account is in maintenance mode."}, failures.RATE_LIMITED),
    ],
)
def test_a_code_decides_what_the_status_would_tell_wrongly(
    status: int, error: dict[str, Any], failure: failures.Failure
) -> None:
    refused = refusal(status_code=status, json={"error": error})
    assert refused.failure is failure
    assert refused.reason.startswith(str(error.get("code", 2494100)))


def test_a_missing_permission_is_no_outage_although_meta_answers_500() -> None:
    guarded = GuardedSender(HttpSender(Meta(SETTINGS)), calls=1)
    with Mocker() as provider:
        provider.post(URL, status_code=500, json={"error": {"code": 3, "message": "words"}})
        for _ in range(5):
            with pytest.raises(DeliveryFailed):
                guarded.send(MESSAGE)
    assert guarded.state == "closed"


def test_the_providers_code_stays_readable_and_the_words_are_masked() -> None:
    words = f"(#2494100) Account is in maintenance mode for {PHONE}."
    error = refusal(status_code=400, json={"error": {"message": words, "code": 2494100}})
    assert error.reason == "2494100: Account is in maintenance mode for +…3210."


# --- what is told ---


def test_the_reason_holds_neither_code_nor_token_nor_phone() -> None:
    trouble = {"message": f"{CODE} {TOKEN}", "error_data": {"details": PHONE}, "code": 131009}
    assert refusal(status_code=400, json={"error": trouble}).reason == "131009: … …: +…3210"


def test_half_a_configuration_sends_nothing(requests_mock: Mocker) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        HttpSender(Meta(MetaSettings(TOKEN))).send(MESSAGE)
    assert caught.value.reason == "not set: META_PHONE_NUMBER_ID, META_TEMPLATE"
    assert not requests_mock.called


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f"{TOKEN}\r\nX: y", f"{TOKEN}\u20ac"])
def test_a_token_that_fits_no_header_is_refused_without_being_told(token: str) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        HttpSender(Meta(replace(SETTINGS, access_token=token))).send(MESSAGE)
    assert TOKEN not in repr(vars(caught.value))
    assert caught.value.__context__ is None


def test_debug_pages_mask_every_secret() -> None:
    settings = replace(SETTINGS, app_secret="0123456789abcdef", verify_token="short")
    shown = Meta(settings).preview(MESSAGE)
    assert (shown["method"], shown["url"], shown["json"]) == ("POST", URL, BODY)
    assert shown["headers"] == {
        "Authorization": "Bearer ••••oken",
        "Content-Type": "application/json",
    }
    assert Meta(settings).describe() == {
        "provider": "meta",
        "access_token": "••••oken",
        "phone_number_id": "158072934066266",
        "template": "verification_code",
        "languages": ["en_US"],
        "api_url": "https://graph.test/v23.0",
        "app_secret": "••••cdef",
        "verify_token": "••••",
        "missing": [],
    }
    sender = HttpSender(Meta(settings))
    told = repr(settings) + repr(sender) + repr(vars(sender))
    assert not any(secret in told for secret in (TOKEN, "0123456789abcdef", "short"))
