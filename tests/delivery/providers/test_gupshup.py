"""What is sent to Gupshup, and what debug pages show of it."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest
from requests_mock import Mocker

from otp_service.delivery.providers.gupshup import Gupshup
from otp_service.delivery.providers.gupshup_settings import GupshupSettings
from otp_service.delivery.sender import HttpSender
from otp_service.domain.errors import (
    DeliveryFailed,
)
from otp_service.domain.messages import Message, Sender
from otp_service.domain.verification import Channel
from tests.delivery.account import CODE, KEY, MESSAGE, PHONE, SETTINGS, URL

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
    request = Gupshup(GupshupSettings(param_count=2)).request(MESSAGE)
    assert json.loads(request.data["template"])["params"] == [CODE, CODE]


@pytest.mark.parametrize(
    ("locale", "template"), [("pt-BR", "tpl-br"), ("en_IN", "tpl-en"), ("de", "tpl"), (None, "tpl")]
)
def test_each_language_has_a_template_of_its_own(locale: str | None, template: str) -> None:
    settings = GupshupSettings(
        template_id="tpl", templates={"en": "tpl-en", "pt-PT": "tpl-pt", "pt-BR": "tpl-br"}
    )
    request = Gupshup(settings).request(Message(PHONE, CODE, 300, locale))
    assert json.loads(request.data["template"])["id"] == template


def test_a_code_or_name_with_json_in_it_stays_a_string() -> None:
    request = Gupshup(SETTINGS).request(Message(PHONE, '"],"id":"x', expires_in=300))
    assert json.loads(request.data["template"]) == {"id": "tpl-uuid", "params": ['"],"id":"x']}


def test_the_sender_is_whatsapp_through_gupshup(sender: Sender) -> None:
    assert (sender.provider, sender.channel) == ("gupshup", Channel.WHATSAPP)


# --- what debug pages show ---


def test_the_preview_is_the_request_with_the_key_masked(
    requests_mock: Mocker, sender: Sender
) -> None:
    requests_mock.post(URL, json={"messageId": "id-1"})
    sender.send(MESSAGE)
    shown = Gupshup(SETTINGS).preview(MESSAGE)
    [sent] = requests_mock.request_history
    assert (shown["method"], shown["url"]) == (sent.method, sent.url)
    assert shown["form"] == dict(parse_qsl(sent.text))
    assert shown["headers"] == {
        "apikey": "••••cdef",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def test_the_description_masks_the_key_and_names_what_is_missing() -> None:
    assert Gupshup(GupshupSettings(KEY, source="917834811114", param_count=2)).describe() == {
        "provider": "gupshup",
        "api_url": "https://api.gupshup.io/wa/api/v1/template/msg",
        "api_key": "••••cdef",
        "source": "917834811114",
        "template_id": "",
        "templates": {},
        "src_name": "",
        "param_count": 2,
        "missing": ["GUPSHUP_TEMPLATE_ID", "GUPSHUP_SRC_NAME"],
    }


@pytest.mark.parametrize(("key", "shown"), [("", ""), ("abcdefghijk", "••••"), (KEY, "••••cdef")])
def test_a_short_key_is_masked_completely(key: str, shown: str) -> None:
    assert Gupshup(GupshupSettings(key)).describe()["api_key"] == shown


def test_debug_pages_work_when_nothing_is_configured() -> None:
    nothing = GupshupSettings()
    assert Gupshup(nothing).describe()["missing"] == [
        "GUPSHUP_API_KEY",
        "GUPSHUP_SOURCE",
        "GUPSHUP_TEMPLATE_ID",
        "GUPSHUP_SRC_NAME",
    ]
    assert Gupshup(nothing).preview(MESSAGE)["method"] == "POST"


def test_nothing_is_sent_with_half_a_configuration(requests_mock: Mocker) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        HttpSender(Gupshup(GupshupSettings(KEY, "917834811114"))).send(MESSAGE)
    assert caught.value.failure.code == "not_configured"
    assert caught.value.reason == "not set: GUPSHUP_TEMPLATE_ID, GUPSHUP_SRC_NAME"
    assert not requests_mock.called


@pytest.mark.parametrize("key", [f"{KEY}\n", f"{KEY}\r\nX: y", f"{KEY}\u20ac"])
def test_a_key_that_fits_no_header_is_refused_without_being_told(
    requests_mock: Mocker, key: str
) -> None:
    requests_mock.post(URL, json={"messageId": "id-1"})
    with pytest.raises(DeliveryFailed) as caught:
        HttpSender(Gupshup(GupshupSettings(key, "1", "t", "n", URL))).send(MESSAGE)
    assert KEY not in repr(vars(caught.value))
    assert caught.value.__context__ is None
    assert not requests_mock.called


@pytest.mark.parametrize("url", ["nowhere", "ftp://gupshup.test/", "http://"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(DeliveryFailed, match=DeliveryFailed.message):
        HttpSender(Gupshup(GupshupSettings(KEY, "1", "t", "n", url))).send(MESSAGE)
