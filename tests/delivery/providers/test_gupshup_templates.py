"""What Gupshup tells of templates, and asking it on the wire."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from otp_service.delivery.providers.gupshup_settings import API_URL, GupshupSettings
from otp_service.delivery.providers.gupshup_templates import Template, Templates, base_url, template
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError
from otp_service.simulator import Simulator
from tests.delivery.misbehaving import closed_port_url, drip, http, say, serve

KEY = "sk-a-secret-key-of-gupshup"
ID = "a7b69e78-9e0c-494e-86f8-d91bffe173bd"
META_BUTTON = {
    "type": "URL",
    "text": "Copy code",
    "url": "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}",
}
OTP_BUTTON = {"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}
TOLD: dict[str, Any] = {
    "id": ID,
    "elementName": "login_code",
    "status": "APPROVED",
    "category": "AUTHENTICATION",
    "languageCode": "pt_BR",
    "quality": "GREEN",
    "externalId": "863682358935224",
}


def told(**container: object) -> dict[str, object]:
    return TOLD | {"containerMeta": json.dumps({"data": "*{{1}}* is your code."} | container)}


def asked(url: str, template_id: str = ID, **more: float) -> Template | DeliveryError:
    settings = GupshupSettings(api_key=KEY, api_url=url)
    return Templates(settings, "app", **more).one(template_id)


def test_a_template_is_read_with_what_stands_in_its_container() -> None:
    found = template(
        told(buttons=[META_BUTTON], messageSendTTLSeconds=65, codeExpirationMinutes=10)
    )
    assert found == Template(
        id=ID,
        name="login_code",
        meta_id="863682358935224",
        status="approved",
        category="authentication",
        language="pt_BR",
        quality="green",
        takes=2,
        lifetime=65,
        footer_minutes=10,
    )


@pytest.mark.parametrize(
    ("buttons", "takes"),
    [
        ([OTP_BUTTON], 2),
        ([{"type": "COPY_CODE", "text": "Copy code"}], 2),
        ([META_BUTTON], 2),
        ([{"type": "URL", "text": "Help", "url": "https://example.com/help"}], 1),
        ([], 1),
        ("nonsense", 1),
    ],
)
def test_a_button_that_copies_the_code_takes_it_once_more(buttons: object, takes: int) -> None:
    assert template(told(buttons=buttons)).takes == takes


@pytest.mark.parametrize("container", [None, "", "{", "[]", 7, {"buttons": []}, "[" * 100_000])
def test_without_a_readable_container_nobody_knows_how_often(container: object) -> None:
    assert template(TOLD | {"containerMeta": container}).takes is None


@pytest.mark.parametrize(
    ("value", "seconds"), [(600, 600), ("600", 600), (-1, -1), (None, None), ("soon", None)]
)
@pytest.mark.parametrize("name", ["messageSendTTLSeconds", "message_send_ttl_seconds"])
def test_the_lifetime_is_read_under_each_of_its_names(
    name: str, value: object, seconds: int | None
) -> None:
    assert template(told(**{name: value})).lifetime == seconds
    assert template(told() | {name: value}).lifetime == seconds


def test_half_a_character_in_the_container_is_no_obstacle() -> None:
    container = r'{"buttons": [{"type": "URL"}], "data": "\ud83d"}'
    assert template(TOLD | {"containerMeta": "\ud83d"}).takes is None
    assert template(TOLD | {"containerMeta": container}).takes == 1


def test_whatever_the_types_are_reading_does_not_fail() -> None:
    values: tuple[object, ...] = (None, 7, 1.5, True, [], {}, "\x1b[31m", "x" * 10_000)
    for value in values:
        read = template(dict.fromkeys([*TOLD, "containerMeta", "reason"], value))
        assert read.name.isprintable()
        assert len(read.name) <= 200


@pytest.mark.parametrize(
    ("api_url", "base"),
    [
        (API_URL, "https://api.gupshup.io"),
        ("http://proxy:8080/gupshup/wa/api/v1/template/msg", "http://proxy:8080/gupshup"),
        ("https://api.gupshup.io/another/path?x=1", "https://api.gupshup.io"),
    ],
)
def test_the_other_paths_begin_where_messages_are_posted(api_url: str, base: str) -> None:
    assert base_url(api_url) == base


def test_the_simulators_templates_are_found_one_by_one_and_all_at_once() -> None:
    with Simulator(seed=1, api_key=KEY) as simulator:
        settings = GupshupSettings(api_key=KEY, api_url=simulator.gupshup_url)
        listed = Templates(settings, "app").all()
        assert isinstance(listed, list)
        assert [each.name for each in listed] == ["otp_copy_code", "otp_plain", "otp_paused"]
        assert Templates(settings, "app").one(listed[0].id) == listed[0]
        missing = Templates(settings, "app").one("nothing")
        assert isinstance(missing, DeliveryError)
        assert missing.reason == "Template not found"
        refused = Templates(replace(settings, api_key="another"), "app").all()
        assert isinstance(refused, DeliveryError)
        assert refused.failure is failures.CREDENTIALS_REJECTED


def test_the_key_goes_in_a_header_and_the_ids_can_not_leave_their_place() -> None:
    body = json.dumps({"status": "success", "template": TOLD}).encode()
    with serve(say(http(body, "200 OK"))) as server:
        settings = GupshupSettings(api_key=KEY, api_url=server.url)
        assert isinstance(Templates(settings, "../a?b").one("c/d#e"), Template)
    (request,) = server.requests
    assert request.startswith(b"GET /wa/app/..%2Fa%3Fb/template/c%2Fd%23e HTTP/1.1")
    assert request.count(KEY.encode()) == 1
    assert f"apikey: {KEY}".encode() in request


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("401 Unauthorized", {"status": "error", "message": f"no user with {KEY}"}),
        ("200 OK", {"status": "error", "message": f"bad {KEY.upper()}"}),
        ("200 OK", {"status": "success"}),
        ("200 OK", ["template"]),
    ],
)
def test_no_error_holds_the_key(status: str, body: object) -> None:
    with serve(say(http(json.dumps(body).encode(), status))) as server:
        error = asked(server.url)
    assert isinstance(error, DeliveryError)
    assert KEY not in f"{error!r} {error.reason} {error.__context__!r}".lower()


@pytest.mark.parametrize("word", ["error", "failed", "Failure"])
def test_a_refusal_in_a_200_is_one_whatever_it_is_called(word: str) -> None:
    body = {"status": word, "message": "Portal User Not Found With APIKey"}
    with serve(say(http(json.dumps(body).encode(), "200 OK"))) as server:
        error = asked(server.url)
    assert isinstance(error, DeliveryError)
    assert error.failure is failures.CREDENTIALS_REJECTED


def test_a_redirect_is_not_followed() -> None:
    with serve(say(http(b""))) as elsewhere:
        with serve(say(http(b"", "307 Temporary Redirect", Location=elsewhere.url))) as server:
            assert isinstance(asked(server.url), DeliveryError)
        assert not elsewhere.requests


def test_an_answer_that_is_too_big_is_not_read_to_its_end() -> None:
    big = json.dumps({"status": "success", "template": TOLD | {"data": "x" * 70_000}}).encode()
    with serve(say(http(big, "200 OK"))) as server:
        error = asked(server.url)
    assert isinstance(error, DeliveryError)
    assert error.failure is failures.UNCONFIRMED


def test_the_deadline_is_for_all_of_it() -> None:
    answer = http(json.dumps({"template": TOLD}).encode(), "200 OK")
    with serve(drip(answer[:20], answer[20:])) as server:
        began = time.monotonic()
        error = asked(server.url, deadline=0.5)
        assert time.monotonic() - began < 2
    assert isinstance(error, DeliveryError)


def test_nobody_there_is_told_as_such() -> None:
    error = asked(closed_port_url())
    assert isinstance(error, DeliveryError)
    assert error.failure is failures.PROVIDER_DOWN


@pytest.mark.parametrize("key", ["sk-\nsecret", "sk-sécret-☃"])
def test_a_key_that_no_header_can_hold_is_told_without_it(key: str) -> None:
    settings = GupshupSettings(api_key=key, api_url="http://127.0.0.1:1/")
    error = Templates(settings, "app").all()
    assert isinstance(error, DeliveryError)
    assert error.failure is failures.NOT_CONFIGURED
    assert "cret" not in f"{error!r} {error.reason} {error.__context__!r}"
