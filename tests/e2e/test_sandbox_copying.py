"""Copying a code, or the command that sends one, from the sandbox's phone."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.conftest import LiveServer
from tests.e2e.phone import (
    clipboard,
    copy_button,
    message,
    open_phone,
    spoken,
    stub,
)


def test_the_first_visit_tells_how_to_send_a_code(page: Page, live_server: LiveServer) -> None:
    stub(page, [])
    open_phone(page, live_server)
    expect(page.get_by_role("heading", name="No messages yet")).to_be_visible()
    page.get_by_role("button", name="Copy command").click()
    assert f"curl {live_server.url}/send-otp" in clipboard(page)


def test_clicking_copies_the_code(page: Page, live_server: LiveServer) -> None:
    stub(page, [message("482913")])
    open_phone(page, live_server)
    copy_button(page, "482913").click()
    expect(copy_button(page, "482913")).to_contain_text("Copied")
    expect(spoken(page)).to_have_text("Copied 482913")
    assert clipboard(page) == "482913"


def test_copying_works_over_plain_http_from_another_host(
    page: Page, live_server: LiveServer
) -> None:
    page.add_init_script("delete Navigator.prototype.clipboard")  # as browsers do there
    stub(page, [message("482913")])
    open_phone(page, live_server)
    copy_button(page, "482913").click()
    expect(copy_button(page, "482913")).to_contain_text("Copied")
    other = page.context.new_page()
    other.goto(live_server.url + "/sandbox")
    assert clipboard(other) == "482913"


def test_a_failed_copy_is_said(page: Page, live_server: LiveServer) -> None:
    page.add_init_script("delete Navigator.prototype.clipboard; document.execCommand = () => false")
    stub(page, [message("482913")])
    open_phone(page, live_server)
    copy_button(page, "482913").click()
    expect(spoken(page)).to_have_text("The browser did not let this page copy.")


def test_a_code_that_has_ended_does_not_ask_to_be_copied(
    page: Page, live_server: LiveServer
) -> None:
    stub(page, [message("111111", status="expired"), message("222222")])
    open_phone(page, live_server)
    ended, alive = (
        copy_button(page, code).evaluate("b => getComputedStyle(b).fontWeight")
        for code in ("111111", "222222")
    )
    assert (ended, alive) == ("400", "600")
