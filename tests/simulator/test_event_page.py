"""The page with the events."""

from __future__ import annotations

from typing import Literal

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from otp_service.simulator import Simulator
from tests.e2e.browser import Watch, violations
from tests.simulator.told_events import OTHER, SECRET, body, tell

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def simulator(simulator: Simulator) -> Simulator:
    simulator.events_secrets = {SECRET}
    return simulator


@pytest.fixture
def url(simulator: Simulator) -> str:
    return f"{simulator.url}/simulator/events"


def some_of_each_kind(simulator: Simulator) -> None:
    for number, kind in enumerate(["verification.started", "message.submitted"]):
        tell(simulator.events_url, body(kind), f"msg_{number}")
    simulator.script(next=1, fault="event-http:500")
    for _ in range(2):
        tell(simulator.events_url, body("message.delivered"), "msg_2")
    failed = body("message.failed", verification_id="other", failure="blocked", reason="Opted out")
    tell(simulator.events_url, failed, "msg_3")
    tell(simulator.events_url, body("verification.verified"), "msg_4", secret=OTHER)


def test_a_round_is_told_while_one_looks(
    page: Page, watch: Watch, simulator: Simulator, url: str
) -> None:
    page.goto(url)
    expect(page.get_by_text("No events yet")).to_be_visible()
    some_of_each_kind(simulator)
    expect(page.locator("#status")).to_have_text("6 events")
    stories = page.locator(".story")
    expect(stories).to_have_count(2)
    types = stories.first.locator(".event strong").all_text_contents()
    assert types == ["verification.started", "message.submitted"] + ["message.delivered"] * 2 + [
        "verification.verified"
    ]
    again = stories.first.locator(".event").nth(3)
    expect(again).to_contain_text("seen before")
    expect(again).to_contain_text("signature right")
    expect(stories.first.locator(".event").nth(2)).to_contain_text("answered 500")
    expect(stories.first.locator(".event").nth(4)).to_contain_text("refused: webhook-signature")
    expect(stories.nth(1)).to_contain_text("blocked: Opted out")
    assert watch.problems == []
    assert watch.outside(simulator.url) == []


def test_what_came_can_be_opened_and_stays_open(page: Page, simulator: Simulator, url: str) -> None:
    tell(simulator.events_url, webhook_id="msg_first")
    page.goto(url)
    page.locator("summary").click()
    tell(simulator.events_url, webhook_id="msg_second")
    expect(page.locator(".event")).to_have_count(2)
    expect(page.get_by_label("Headers").first).to_contain_text("webhook-id: msg_first")
    expect(page.get_by_label("Body").first).to_have_text(body())
    expect(page.locator("summary").first).to_be_focused()


def test_it_says_whether_signatures_are_checked(page: Page, simulator: Simulator, url: str) -> None:
    page.goto(url)
    expect(page.get_by_text("Signatures are checked")).to_be_visible()
    simulator.events_secrets = set()
    tell(simulator.events_url)
    page.reload()
    expect(page.get_by_text("Signatures are not checked")).to_be_visible()
    expect(page.locator(".event")).to_contain_text("not checked")


def test_the_phones_and_the_events_lead_to_each_other(page: Page, simulator: Simulator) -> None:
    page.goto(simulator.url)
    page.get_by_role("link", name="Events", exact=True).click()
    expect(page.get_by_role("heading", name="Events", exact=True)).to_be_visible()
    page.get_by_role("link", name="the phones").click()
    expect(page.get_by_role("main", name="Phone")).to_be_visible()


def test_everything_is_escaped(page: Page, watch: Watch, simulator: Simulator, url: str) -> None:
    fields = ("purpose", "channel", "status", "client", "failure", "reason", "phone_number")
    for number, about in enumerate(("verification_id", "message_id")):
        evil = dict.fromkeys((*fields, about), EVIL)
        tell(simulator.events_url, body(f"{EVIL}.failed", **evil), f"msg_{number}")
    page.goto(url)
    expect(page.locator(".event")).to_have_count(2)
    assert page.locator(".story img").count() == 0
    assert watch.problems == []


def test_it_works_without_javascript(browser: Browser, simulator: Simulator, url: str) -> None:
    some_of_each_kind(simulator)
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(url)
    expect(page.locator(".event")).to_have_count(6)
    page.context.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_everyone_can_read_it_on_any_screen(
    page: Page, simulator: Simulator, url: str, scheme: Literal["light", "dark"], width: int
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(url)
    assert violations(page) == set()
    some_of_each_kind(simulator)
    expect(page.locator(".event")).to_have_count(6)
    page.locator("summary").first.click()
    assert violations(page) == set()
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_page_that_did_not_change_is_not_sent_again(simulator: Simulator, url: str) -> None:
    tag = requests.get(url, timeout=10).headers["ETag"]
    again = {"If-None-Match": tag}
    assert requests.get(url, headers=again, timeout=10).status_code == 304
    tell(simulator.events_url)
    assert requests.get(url, headers=again, timeout=10).status_code == 200
