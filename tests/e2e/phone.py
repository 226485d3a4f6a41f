"""Words for what a person does with the sandbox's phone, and sees on it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route

from otp_service.domain.phone import grouped
from tests.conftest import LiveServer
from tests.e2e.browser import Watch

# A number for each test that sends: the server may be shared, and a live code blocks another.
ANA, BEN, CLEO, DAN, EVE, FAY = (f"+1415555267{digit}" for digit in range(1, 7))


def open_phone(page: Page, server: LiveServer, number: str = "") -> None:
    page.goto(f"{server.url}/sandbox#{number}")


def post(page: Page, server: LiveServer, path: str, body: dict[str, str]) -> dict[str, Any]:
    answer: dict[str, Any] = page.request.post(server.url + path, data=body).json()
    assert answer["success"], answer
    return answer


def send(page: Page, server: LiveServer, number: str) -> str:
    answer = post(page, server, "/send-otp", {"phone_number": number})
    return str(answer["data"]["otp"])


def message(code: str, *, sent: int = 0, number: str = ANA, **changes: str) -> dict[str, Any]:
    """A message as `GET /sandbox/messages` lists it, sent so many seconds from now."""
    sent_at = datetime.now(timezone.utc) + timedelta(seconds=sent)
    expires_at = sent_at + timedelta(minutes=3)
    return {
        "id": f"d-{code}",
        "phone_number": number,
        "shown_number": grouped(number),
        "purpose": "login",
        "text": f"{code} is your verification code.",
        "code": code,
        "sent_at": sent_at.isoformat(),
        "expires_at": expires_at.isoformat(),
        "status": "pending",
    } | changes


def stub(page: Page, messages: list[dict[str, Any]]) -> None:
    """Lets these messages be on the phone; the list may grow while the page is open."""

    def fulfill(route: Route) -> None:
        route.fulfill(json={"success": True, "message": "", "data": {"messages": messages}})

    page.route("**/sandbox/messages", fulfill)


def bubble(page: Page, code: str) -> Locator:
    return page.locator(".bubble", has_text=code)


def copy_button(page: Page, code: str) -> Locator:
    return bubble(page, code).get_by_role("button")


def chooser(page: Page, number: str) -> Locator:
    return page.get_by_role("navigation").get_by_role("link", name=grouped(number))


def spoken(page: Page) -> Locator:
    """What a screen reader was last given to say."""
    return page.locator("[aria-live=polite]")


def clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def tab_to(page: Page, target: Locator) -> None:
    for _ in range(20):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail("the keyboard does not get there")


def polls(watch: Watch) -> int:
    return sum(url.endswith("/sandbox/messages") for url in watch.requests)


def set_away(page: Page, *, away: bool) -> None:
    page.evaluate(
        "away => { window.away = away; document.dispatchEvent(new Event('visibilitychange')) }",
        away,
    )


def sticking_out(page: Page) -> list[str]:
    """The visible elements that reach beyond the window's sides; the row of phones may scroll."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("body *:not(.phones *)")]
          .filter((element) => element.checkVisibility())
          .filter((element) => {
            const { left, right } = element.getBoundingClientRect();
            const scrolls = element.scrollWidth > element.clientWidth + 1
              && getComputedStyle(element).overflowX === "visible" && element.clientWidth > 1;
            return left < 0 || right > innerWidth + 0.5 || scrolls;
          })
          .map((element) => element.outerHTML.slice(0, 80))"""
    )
    return found
