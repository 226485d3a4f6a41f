"""The page with the phones."""

from __future__ import annotations

import json
from typing import Literal

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from otp_service.simulator import Simulator
from tests.e2e.browser import Watch, violations
from tests.simulator.conftest import Send

EVIL = "<img src=x onerror=alert(1)>"


def test_a_message_arrives_while_one_looks(
    page: Page, watch: Watch, simulator: Simulator, send: Send
) -> None:
    page.goto(simulator.url)
    expect(page.get_by_text("No messages yet")).to_be_visible()
    send(code="482913")
    expect(page.locator(".bubble strong")).to_have_text("482913")
    expect(page.locator("#number")).to_have_text("+91 98765 43210")
    page.get_by_role("button", name="Copy code").click()
    assert page.evaluate("navigator.clipboard.readText()") == "482913"
    assert watch.problems == []
    assert watch.outside(simulator.url) == []


def test_copying_works_over_plain_http_from_another_host(
    page: Page, simulator: Simulator, send: Send
) -> None:
    page.add_init_script("delete Navigator.prototype.clipboard")  # as browsers do there
    send(code="482913")
    page.goto(simulator.url)
    page.get_by_role("button", name="Copy code").click()
    expect(page.locator(".copy-code")).to_contain_text("Copied")
    expect(page.locator("[aria-live=polite]")).to_have_text("Copied 482913")


def test_a_simulator_that_is_gone_is_said_until_it_is_back(
    page: Page, simulator: Simulator, send: Send
) -> None:
    send(code="482913")
    page.goto(simulator.url)
    page.route(f"{simulator.url}/", lambda route: route.abort())
    expect(page.locator("#status")).to_have_text("The simulator does not answer")
    expect(page.locator(".bubble strong")).to_have_text("482913")
    page.unroute_all()
    expect(page.locator("#status")).to_have_text("1 message")


def test_what_failed_says_why(page: Page, simulator: Simulator, send: Send) -> None:
    send("+919876531026")
    simulator.settle()
    page.goto(simulator.url)
    expect(page.get_by_text("Failed: Message undeliverable (131026)")).to_be_visible()
    expect(page.get_by_role("button", name="Copy code")).to_have_count(0)
    send("+919876500429")
    expect(page.get_by_text("Refused: 429")).to_be_visible()


def test_details_stay_open_while_receipts_come(
    page: Page, simulator: Simulator, send: Send
) -> None:
    simulator.script(next=1, fault="lost")
    message_id = send().json()["messageId"]
    page.goto(f"{simulator.url}/simulator")
    page.locator(".bubble summary").click()
    simulator.receipt(message_id, "delivered")
    expect(page.get_by_text("1 callback", exact=True)).to_be_visible()
    expect(page.locator(".bubble dd").first).to_be_visible()


def test_a_phone_can_be_chosen(page: Page, simulator: Simulator, send: Send) -> None:
    send(code="1111")
    send("+12015553931", code="2222")
    page.goto(simulator.url)
    expect(page.locator(".bubble strong")).to_have_text("2222")
    page.get_by_role("link", name="+91 98765 43210").click()
    expect(page.locator(".bubble strong")).to_have_text("1111")
    send("+12015553931", code="3333")
    expect(page.get_by_role("link", name="+1 201-555-3931")).to_contain_text("2")
    expect(page.locator(".bubble strong")).to_have_text("1111")


def test_everything_is_escaped(
    page: Page, watch: Watch, simulator: Simulator, send: Send, send_sms: Send
) -> None:
    send(template=json.dumps({"id": EVIL, "params": [EVIL, EVIL]}), source="9'\"<b>1")
    send_sms(msg=f"{EVIL} 1234 \ud800".encode(errors="replace").decode(), mask=EVIL)
    page.goto(simulator.url)
    expect(page.locator(".bubble")).to_have_count(2)
    assert page.locator(".bubble img").count() == 0
    assert EVIL in str(page.locator(".bubble .text").first.text_content())
    assert watch.problems == []


def test_half_a_character_does_not_break_the_page(simulator: Simulator, send: Send) -> None:
    send(template='{"id": "x", "params": ["\\ud800"]}')
    assert requests.get(simulator.url, timeout=10).status_code == 200
    assert requests.get(f"{simulator.url}/simulator/messages", timeout=10).status_code == 200


def test_it_works_without_javascript(browser: Browser, simulator: Simulator, send: Send) -> None:
    send(code="730264")
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(simulator.url)
    expect(page.locator(".bubble strong")).to_have_text("730264")
    page.context.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_it_can_be_read_by_everyone(
    page: Page, simulator: Simulator, send: Send, scheme: Literal["light", "dark"], width: int
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 844})
    for number in ("+12015553931", "+919876531026", "+919876543210"):
        send(number)
    page.goto(simulator.url)
    expect(page.locator(".bubble")).to_be_visible()
    assert violations(page) == set()
    page.get_by_role("link", name="+91 98765 31026").click()
    expect(page.locator(".lost")).to_be_visible()
    assert violations(page) == set()


def test_it_fits_a_phone(browser: Browser, simulator: Simulator, send: Send) -> None:
    for n in range(6):
        send(f"+1201555393{n}")
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    page.goto(simulator.url)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.context.close()


def test_a_page_that_did_not_change_is_not_sent_again(simulator: Simulator, send: Send) -> None:
    tag = requests.get(simulator.url, timeout=10).headers["ETag"]
    again = {"If-None-Match": tag}
    assert requests.get(simulator.url, headers=again, timeout=10).status_code == 304
    send()
    assert requests.get(simulator.url, headers=again, timeout=10).status_code == 200
