"""The sandbox's phone with a keyboard, a screen reader, on every screen, and without the server."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import LiveServer
from tests.e2e.browser import Watch, violations
from tests.e2e.phone import (
    ANA,
    BEN,
    bubble,
    chooser,
    copy_button,
    message,
    open_phone,
    polls,
    spoken,
    sticking_out,
    stub,
    tab_to,
)


@pytest.mark.parametrize("chosen", ["", ANA])
def test_on_a_small_screen_it_opens_at_the_newest_message(
    chosen: str, page: Page, live_server: LiveServer
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    messages = [message(f"{number:06}", number=ANA) for number in range(12)]
    stub(page, [message("111111", number=BEN), *messages])
    open_phone(page, live_server, chosen)
    expect(bubble(page, "000011")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="Newest message")).to_be_hidden()
    page.set_viewport_size({"width": 390, "height": 500})  # a keyboard comes up
    expect(bubble(page, "000011")).to_be_in_viewport(ratio=1)


def test_the_keyboard_is_enough_and_keeps_its_place(page: Page, live_server: LiveServer) -> None:
    messages = [message("111111", number=ANA), message("222222", number=BEN)]
    stub(page, messages)
    open_phone(page, live_server, ANA)
    chooser(page, BEN).focus()
    page.keyboard.press("Enter")
    expect(bubble(page, "222222")).to_be_visible()
    tab_to(page, copy_button(page, "222222"))
    messages.append(message("333333", number=BEN))
    expect(bubble(page, "333333")).to_be_visible()
    expect(copy_button(page, "222222")).to_be_focused()
    page.keyboard.press("Enter")
    expect(spoken(page)).to_have_text("Copied 222222")


def test_a_screen_reader_is_left_in_peace_while_nothing_happens(
    page: Page, live_server: LiveServer, watch: Watch
) -> None:
    stub(page, [message("482913")])
    open_phone(page, live_server)
    expect(bubble(page, "482913")).to_be_visible()
    page.evaluate(
        """() => {
          window.said = 0;
          const listener = new MutationObserver(() => { window.said += 1 });
          for (const place of document.querySelectorAll("[role=status], [aria-live]")) {
            listener.observe(place, { childList: true, characterData: true, subtree: true });
          }
        }"""
    )
    asked = polls(watch)
    while polls(watch) < asked + 2:
        page.wait_for_timeout(100)
    assert page.evaluate("window.said") == 0


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390), ("light", 390)])
def test_it_can_be_read_by_everyone(
    page: Page, live_server: LiveServer, scheme: Literal["light", "dark"], width: int
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 844})
    messages: list[dict[str, Any]] = []
    stub(page, messages)
    open_phone(page, live_server, BEN)
    expect(page.locator("#empty")).to_be_visible()
    assert violations(page) == set()
    states = ("pending", "verified", "expired", "failed", "replaced")
    messages += [message(f"{n:06}", number=BEN, status=of) for n, of in enumerate(states)]
    messages.append(message("999999", number=ANA))
    expect(bubble(page, "000004")).to_be_visible()
    assert violations(page) == set()


@pytest.mark.parametrize("width", [360, 390, 899, 1280])
def test_nothing_overflows_sideways(page: Page, live_server: LiveServer, width: int) -> None:
    long = message("482913", text="482913 " + "x" * 300, purpose="p" * 32, number=BEN)
    messages: list[dict[str, Any]] = []
    stub(page, messages)
    page.set_viewport_size({"width": width, "height": 700})
    open_phone(page, live_server)
    expect(page.locator("#empty")).to_be_visible()
    assert sticking_out(page) == []
    messages += [message("111111", number=ANA), long]
    expect(bubble(page, "482913")).to_be_visible()
    assert sticking_out(page) == []
