"""The Flask example signs people in, with the real service in its sandbox."""

from __future__ import annotations

import pytest
import requests

from tests.clients.python.service import SENT, refuses, url_of
from tests.conftest import LiveServer, Serve
from tests.delivery import misbehaving
from tests.delivery.misbehaving import http
from tests.examples.conftest import loaded
from tests.examples.visitor import Page, Visitor, code
from tests.storage.helpers import wrong

PHONE = "+919876543210"
OUR_FAULT = "Something went wrong on our side. Please try again."


@pytest.fixture
def visitor(site: LiveServer) -> Visitor:
    return Visitor(site)


def test_a_person_signs_in_and_out(visitor: Visitor, service: LiveServer) -> None:
    page = visitor.fill_in("/", phone_number="+91 98765 40001")
    assert (page.path, page.heading, page.said) == ("/code", "Enter your code", [])
    assert 170 < page.seconds("hint") <= 180
    page = visitor.fill_in("/code", otp=code(service, "+919876540001"))
    assert (page.path, page.heading) == ("/", "You are signed in")
    assert "+919876540001" in page.text
    assert visitor.fill_in("/sign-out").heading == "Sign in"


def test_a_wrong_code_an_old_one_and_a_new_one(visitor: Visitor, service: LiveServer) -> None:
    visitor.fill_in("/", phone_number="+919876540002")
    first = code(service, "+919876540002")
    page = visitor.fill_in("/code", otp=wrong(first))
    assert (page.status, page.said) == (400, ["This code is wrong. 4 tries left."])
    assert visitor.fill_in("/code", otp="12").said == [
        "Please type the code as it is in the message."
    ]
    visitor.fill_in("/resend")
    assert visitor.fill_in("/code", otp=first).said == ["This code is wrong. 3 tries left."]
    assert visitor.fill_in("/code", otp=code(service, "+919876540002")).path == "/"


def test_who_asks_twice_goes_on_with_the_first_code(visitor: Visitor, service: LiveServer) -> None:
    visitor.fill_in("/", phone_number="+919876540003")
    first = code(service, "+919876540003")
    visitor.open("/")
    assert visitor.fill_in("/", phone_number="+919876540003").path == "/code"
    assert visitor.fill_in("/code", otp=first).path == "/"


def test_a_double_click_is_one_check(visitor: Visitor, service: LiveServer) -> None:
    visitor.fill_in("/", phone_number="+919876540004")
    right = code(service, "+919876540004")
    for click in (visitor.twin(), visitor):
        assert click.fill_in("/code", otp=right).heading == "You are signed in"


def test_guesses_end(visitor: Visitor, service: LiveServer) -> None:
    visitor.fill_in("/", phone_number="+919876540005")
    guess = wrong(code(service, "+919876540005"))
    said = [visitor.fill_in("/code", otp=guess).said for _ in range(6)]
    assert said[3:] == [
        ["This code is wrong. 1 try left."],
        ["Too many wrong codes. Please ask for a new one."],
        ["Too many wrong codes. Please ask for a new one."],
    ]


def test_what_is_no_phone_stays_in_the_field(visitor: Visitor) -> None:
    page = visitor.fill_in("/", phone_number='"call" me')
    assert (page.path, page.status) == ("/", 400)
    assert page.said[0].startswith("This is not a phone number.")
    assert 'value="&#34;call&#34; me"' in page.text


def test_a_form_of_another_site_does_nothing(site: LiveServer) -> None:
    stranger = requests.post(f"{site.url}/", data={"phone_number": PHONE}, timeout=30)
    assert stranger.status_code == 400
    known = Visitor(site)
    assert known.fill_in("/", phone_number=PHONE, csrf="ключ").status == 400


def test_without_a_code_to_type_there_is_no_code_page(visitor: Visitor) -> None:
    assert visitor.open("/code").path == "/"
    assert visitor.fill_in("/code", otp="123456").path == "/"
    assert visitor.fill_in("/resend").path == "/"


def visiting(site: Serve, monkeypatch: pytest.MonkeyPatch, *answers: bytes) -> Page:
    """Where one who types a phone comes to, beside a service that answers this, in this order."""
    with misbehaving.serve(*map(misbehaving.say, answers)) as server:
        monkeypatch.setenv("OTP_URL", url_of(server))
        return Visitor(site(loaded())).fill_in("/", phone_number=PHONE)


def test_a_message_that_may_arrive_leads_to_the_code_page(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = refuses("504 Gateway Timeout", "delivery_unconfirmed", {"verification_id": "s1"})
    page = visiting(serve, monkeypatch, lost, refuses("200 OK", "otp_already_sent", SENT))
    assert (page.path, page.said) == ("/code", ["The code is on its way. It may take a moment."])
    assert page.seconds("hint") > 170


def test_a_message_that_failed_meanwhile_is_not_waited_for(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = {"channel": "whatsapp", "status": "failed", "failure": "not_on_whatsapp"}
    before = refuses("200 OK", "otp_already_sent", SENT | {"delivery": delivery})
    page = visiting(serve, monkeypatch, before)
    assert page.path == "/code"
    assert page.said == ["The code may not have arrived. You can ask for a new one."]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            refuses("429 Too Many Requests", "send_limit_exceeded", Retry_After="361"),
            "We have sent several codes to this number. Please try again in 7 minutes.",
        ),
        (
            refuses("429 Too Many Requests", "phone_locked", Retry_After="30"),
            "Too many wrong codes for this number. Please try again in 30 seconds.",
        ),
        (
            refuses("429 Too Many Requests", "send_limit_exceeded", Retry_After="85201"),
            "We have sent several codes to this number. Please try again in 24 hours.",
        ),
        (
            refuses("429 Too Many Requests", "phone_locked", Retry_After="1"),
            "Too many wrong codes for this number. Please try again in 1 second.",
        ),
        (
            refuses("502 Bad Gateway", "delivery_failed"),
            "We could not reach this number. Is it right? If so, please try later.",
        ),
        (
            refuses("401 Unauthorized", "unauthorized"),
            "We can't send codes at the moment. Please try again later.",
        ),
        (http(b"<h1>502</h1>", "502 Bad Gateway"), OUR_FAULT),
        (refuses("418 I'm a teapot", "of_a_newer_server"), OUR_FAULT),
    ],
    ids=lambda value: value[9:12].decode() if isinstance(value, bytes) else "",
)
def test_whatever_is_answered_the_person_reads_what_to_do(
    answer: bytes, said: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visiting(serve, monkeypatch, answer)
    assert (page.path, page.said) == ("/", [said])
    assert page.status >= 400
