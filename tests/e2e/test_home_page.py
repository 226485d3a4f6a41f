"""The tour at the root, as a person takes it in a browser."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import LiveServer, MakeApp, Serve
from tests.e2e.browser import Watch, violations
from tests.e2e.phone import sticking_out


def test_the_tour_sends_shows_and_checks_a_code(
    page: Page, live_server: LiveServer, watch: Watch
) -> None:
    page.goto(live_server.url)
    page.locator("#send .run").click()
    expect(page.locator("#send .result")).to_have_text("OTP sent successfully")
    expect(page.locator("#send .answer")).to_contain_text('"otp": "123456"')
    page.locator("#check .run").click()
    expect(page.locator("#check .result")).to_have_text("OTP verified successfully")
    page.locator("#check .run").click()
    expect(page.locator("#check .result")).to_have_text("OTP not found or expired")
    assert watch.problems == []
    assert watch.outside(live_server.url) == []
    page.get_by_role("link", name="the sandbox’s phone").click()
    expect(page.locator(".bubble")).to_contain_text("123456 is your verification code.")


def test_a_number_without_a_fixed_code_checks_the_one_that_was_sent(
    page: Page, make_app: MakeApp, serve: Serve
) -> None:
    page.goto(serve(make_app(OTP_TEST_NUMBERS="+1234567890")).url)
    expect(page.locator("#check pre").first).to_contain_text('"otp": "CODE"')
    page.locator("#send .run").click()
    expect(page.locator("#send .result")).to_have_text("OTP sent successfully")
    page.locator("#check .run").click()
    expect(page.locator("#check .result")).to_have_text("OTP verified successfully")


@pytest.mark.parametrize("width", [360, 390, 1280])
def test_it_fits(page: Page, live_server: LiveServer, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(live_server.url)
    page.locator("#send .run").click()
    expect(page.locator("#send .answer")).to_be_visible()
    assert sticking_out(page) == []


def test_without_javascript_there_are_the_commands_and_no_buttons(
    browser: Browser, live_server: LiveServer
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(live_server.url)
    expect(page.locator("#send pre").first).to_contain_text(f"{live_server.url}/send-otp")
    expect(page.get_by_role("button")).to_have_count(0)
    page.context.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_it_can_be_read_by_everyone(
    page: Page, live_server: LiveServer, scheme: Literal["light", "dark"], width: int
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(live_server.url)
    for step in ("#check", "#send"):
        page.locator(f"{step} .run").click()
        expect(page.locator(f"{step} .answer")).to_be_visible()
    assert violations(page) == set()
