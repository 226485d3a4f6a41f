"""The Express example signs people in, with the real service in its sandbox."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from runpy import run_path

import pytest
import requests
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.clients.python.service import SENT, body, header, refuses, says, url_of
from tests.conftest import LiveServer
from tests.delivery import misbehaving
from tests.delivery.misbehaving import http
from tests.e2e.browser import Watch, violations
from tests.examples.test_flask import OUR_FAULT, PHONE
from tests.examples.visitor import Page, Visitor, code
from tests.faults.loopback import free_port
from tests.faults.waiting import PATIENCE, until
from tests.storage.helpers import wrong
from tests.system import need_tool, node

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "express"
FLASK = ROOT / "docs" / "examples" / "flask"
Start = Callable[..., LiveServer]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example with the packages that it names, as npm would place them."""
    folder = tmp_path_factory.mktemp("express")
    for path in EXAMPLE.iterdir():
        (folder / path.name).symlink_to(path)
    for script in EXAMPLE.glob("*.js"):  # a link would be run where it leads
        (folder / script.name).unlink()
        (folder / script.name).write_bytes(script.read_bytes())
    packages = folder / "node_modules"
    packages.mkdir()
    (packages / "express").symlink_to(need_tool("express").resolve())
    (packages / "otp-client").symlink_to(ROOT / "clients" / "js")
    return folder


@pytest.fixture(scope="module")
def start(installed: Path, service: LiveServer) -> Iterator[Start]:
    running: list[subprocess.Popen[bytes]] = []

    def run(otp_url: str, **settings: str) -> LiveServer:
        site = LiveServer(f"http://127.0.0.1:{free_port()}", service.app)
        own = {"OTP_URL": otp_url, "PORT": site.url.rpartition(":")[2]}
        process = subprocess.Popen(
            [node(), "server.js"], cwd=installed, env=os.environ | own | settings
        )
        running.append(process)

        def is_up() -> bool:
            assert process.poll() is None
            try:
                return requests.get(site.url, timeout=PATIENCE).ok
            except requests.ConnectionError:
                return False

        until(is_up)
        return site

    yield run
    for process in running:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def express(start: Start, service: LiveServer) -> LiveServer:
    return start(service.url)


@pytest.fixture
def visitor(express: LiveServer) -> Visitor:
    return Visitor(express)


def test_a_person_signs_in_and_out(visitor: Visitor, service: LiveServer) -> None:
    page = visitor.fill_in("/", phone_number="+91 98765 70001")
    assert (page.path, page.heading, page.said) == ("/code", "Enter your code", [])
    assert 170 < page.seconds("hint") <= 180
    page = visitor.fill_in("/code", otp=code(service, "+919876570001"))
    assert (page.path, page.heading) == ("/", "You are signed in")
    assert "+919876570001" in page.text
    assert visitor.fill_in("/sign-out").heading == "Sign in"


def test_a_wrong_code_an_old_one_and_a_new_one(visitor: Visitor, service: LiveServer) -> None:
    visitor.fill_in("/", phone_number="+919876570002")
    first = code(service, "+919876570002")
    page = visitor.fill_in("/code", otp=wrong(first))
    assert (page.status, page.said) == (400, ["This code is wrong. 4 tries left."])
    page = visitor.fill_in("/code", otp="12")
    assert page.said == ["Please type the code as it is in the message."]
    visitor.fill_in("/resend")
    assert visitor.fill_in("/code", otp=first).said == ["This code is wrong. 3 tries left."]
    assert visitor.fill_in("/code", otp=code(service, "+919876570002")).path == "/"


def test_who_asks_twice_goes_on_with_the_first_code(visitor: Visitor, service: LiveServer) -> None:
    visitor.fill_in("/", phone_number="+919876570003")
    first = code(service, "+919876570003")
    visitor.open("/")
    assert visitor.fill_in("/", phone_number="+919876570003").path == "/code"
    assert visitor.fill_in("/code", otp=first).path == "/"


def test_a_double_click_is_one_check(visitor: Visitor, service: LiveServer) -> None:
    visitor.fill_in("/", phone_number="+919876570004")
    right = code(service, "+919876570004")
    for click in (visitor.twin(), visitor):
        assert click.fill_in("/code", otp=right).heading == "You are signed in"


def test_guesses_end(visitor: Visitor, service: LiveServer) -> None:
    visitor.fill_in("/", phone_number="+919876570005")
    guess = wrong(code(service, "+919876570005"))
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


def test_a_form_of_another_site_and_a_changed_cookie_do_nothing(express: LiveServer) -> None:
    stranger = requests.post(f"{express.url}/", data={"phone_number": PHONE}, timeout=30)
    assert stranger.status_code == 400
    assert Visitor(express).fill_in("/", phone_number=PHONE, csrf="ключ").status == 400
    cookie = "session=eyJwaG9uZU51bWJlciI6IisxNDE1NTU1MDEyMyJ9.AAAA"
    answer = requests.get(express.url, headers={"Cookie": cookie}, timeout=30)
    assert "<h1>Sign in</h1>" in answer.text


def test_without_a_code_to_type_there_is_no_code_page(visitor: Visitor) -> None:
    assert visitor.open("/code").path == "/"
    assert visitor.fill_in("/code", otp="123456").path == "/"
    assert visitor.fill_in("/resend").path == "/"


def visiting(start: Start, *answers: bytes) -> Page:
    """Where one who types a phone comes to, beside a service that answers this, in this order."""
    with misbehaving.serve(*map(misbehaving.say, answers)) as server:
        return Visitor(start(url_of(server))).fill_in("/", phone_number=PHONE)


def test_a_message_that_may_arrive_leads_to_the_code_page(start: Start) -> None:
    lost = refuses("504 Gateway Timeout", "delivery_unconfirmed", {"verification_id": "s1"})
    page = visiting(start, lost, refuses("200 OK", "otp_already_sent", SENT))
    assert (page.path, page.said) == ("/code", ["The code is on its way. It may take a moment."])


def test_a_message_that_failed_meanwhile_is_not_waited_for(start: Start) -> None:
    delivery = {"channel": "whatsapp", "status": "failed", "failure": "not_on_whatsapp"}
    page = visiting(start, refuses("200 OK", "otp_already_sent", SENT | {"delivery": delivery}))
    assert page.said == ["The code may not have arrived. You can ask for a new one."]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            refuses("429 Too Many Requests", "send_limit_exceeded", Retry_After="361"),
            "We have sent several codes to this number. Please try again in 7 minutes.",
        ),
        (
            refuses("429 Too Many Requests", "send_limit_exceeded", Retry_After="85201"),
            "We have sent several codes to this number. Please try again in 24 hours.",
        ),
        (http(b"<h1>502</h1>", "502 Bad Gateway"), OUR_FAULT),
    ],
    ids=["limit", "limit of a day", "proxy"],
)
def test_whatever_is_answered_the_person_reads_what_to_do(
    answer: bytes, said: str, start: Start
) -> None:
    page = visiting(start, answer)
    assert (page.path, page.said) == ("/", [said])
    assert page.status >= 400


def test_the_persons_address_and_language_and_the_key_are_passed_on(start: Start) -> None:
    with misbehaving.serve(misbehaving.say(says())) as server:
        site = start(url_of(server), TRUST_PROXY="1", OTP_API_KEY="a-key")
        session = requests.Session()
        csrf = re.findall(r'name="csrf" value="(\w+)"', session.get(site.url, timeout=30).text)[0]
        headers = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7", "Accept-Language": "hi, en"}
        form = {"csrf": csrf, "phone_number": PHONE}
        session.post(site.url, data=form, headers=headers, timeout=30)
    asked = body(server.requests[0])
    assert asked == {"phone_number": PHONE, "client_ip": "203.0.113.7", "locale": "hi"}
    assert header(server.requests[0], "Authorization") == "Bearer a-key"


def test_its_pages_are_for_everybody_by_day_and_by_night(
    page: Tab, watch: Watch, express: LiveServer
) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(express.url)
    page.get_by_label("Phone number").fill("+919876570006")
    assert violations(page) == set()
    page.get_by_role("button").click()
    field = page.get_by_label("Code", exact=True)
    expect(field).to_have_attribute("autocomplete", "one-time-code")
    page.emulate_media(color_scheme="dark")
    field.fill("12")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("as it is in the message")
    assert violations(page) == set()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert watch.outside(express.url) == []


@pytest.mark.parametrize("name", ["style.css", "code.js"])
def test_both_examples_look_and_count_alike(name: str) -> None:
    assert (EXAMPLE / "public" / name).read_bytes() == (FLASK / "static" / name).read_bytes()


def test_both_examples_say_the_same_words() -> None:
    words = run_path(str(FLASK / "app.py"))["WORDS"]
    later = "We can't send codes at the moment. Please try again"
    source = (EXAMPLE / "server.js").read_text().replace("${LATER}", later)
    assert len(words) > 12
    assert [name for name, text in words.items() if not says_it(source, name, text)] == []


def says_it(source: str, name: str, text: str) -> bool:
    return any(f"\n  {name}: {quote}{text}{quote}," in source for quote in '"`')
