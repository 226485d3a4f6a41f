"""The Flask example's pages in Chromium: usable by everybody, in both colours, on a phone."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.conftest import LiveServer
from tests.e2e.browser import Watch, violations
from tests.examples.visitor import code


def test_a_person_signs_in_on_a_phone_by_day_and_by_night(
    page: Page, watch: Watch, site: LiveServer, service: LiveServer
) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(site.url)
    page.get_by_label("Phone number").fill("call me")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("not a phone number")
    assert violations(page) == set()
    page.get_by_label("Phone number").fill("+919876560001")
    page.get_by_role("button").click()
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    page.emulate_media(color_scheme="dark")
    assert violations(page) == set()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_label("Code", exact=True).fill(code(service, "+919876560001"))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading")).to_have_text("You are signed in")
    assert watch.outside(site.url) == []


def test_a_countdown_ends_in_words_and_opens_the_resend(page: Page, site: LiveServer) -> None:
    page.clock.install()
    page.goto(site.url)
    page.get_by_label("Phone number").fill("+919876560003")
    page.get_by_role("button").click()
    resend = page.get_by_role("button", name="Send a new code")
    page.evaluate("document.getElementById('resend').dataset.seconds = 30")
    page.clock.run_for(500)
    expect(resend).to_be_disabled()
    page.clock.run_for(30_000)
    expect(resend).to_be_enabled()
    page.clock.run_for(180_000)
    expect(page.locator("#hint")).to_have_text("It has expired. Ask for a new one.")
