"""The sandbox's phone, as a person sees it in a browser."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from playwright.sync_api import Page, expect

from otp_service.domain.phone import grouped
from tests.conftest import LiveServer
from tests.e2e.browser import Watch
from tests.e2e.phone import (
    ANA,
    BEN,
    CLEO,
    DAN,
    EVE,
    FAY,
    bubble,
    chooser,
    copy_button,
    message,
    open_phone,
    polls,
    post,
    send,
    set_away,
    spoken,
    stub,
)

# ---- with the real service -----------------------------------------------------------------


def test_a_sent_code_appears_by_itself(page: Page, live_server: LiveServer) -> None:
    open_phone(page, live_server, ANA)
    page.evaluate("window.sameDocument = true")
    code = send(page, live_server, ANA)
    expect(bubble(page, code)).to_contain_text(f"{code} is your verification code.")
    assert page.evaluate("window.sameDocument"), "the page was loaded again"


def test_a_waiting_code_counts_down(page: Page, live_server: LiveServer) -> None:
    code = send(page, live_server, BEN)
    open_phone(page, live_server, BEN)
    expect(bubble(page, code)).to_contain_text(re.compile(r"Expires in [0-3]:[0-5]\d"))


def test_a_verified_code_is_shown_as_verified(page: Page, live_server: LiveServer) -> None:
    code = send(page, live_server, CLEO)
    open_phone(page, live_server, CLEO)
    post(page, live_server, "/verify-otp", {"phone_number": CLEO, "otp": code})
    expect(bubble(page, code)).to_contain_text("Verified")


def test_two_numbers_are_two_chats(page: Page, live_server: LiveServer) -> None:
    codes = {number: send(page, live_server, number) for number in (DAN, EVE)}
    open_phone(page, live_server, DAN)
    expect(bubble(page, codes[DAN])).to_be_visible()
    expect(bubble(page, codes[EVE])).to_have_count(0)
    chooser(page, EVE).click()
    expect(bubble(page, codes[EVE])).to_be_visible()
    expect(bubble(page, codes[DAN])).to_have_count(0)
    expect(chooser(page, EVE)).to_have_attribute("aria-current", "true")


def test_the_page_stays_at_home_and_within_its_policy(
    page: Page, live_server: LiveServer, watch: Watch
) -> None:
    open_phone(page, live_server, FAY)
    code = send(page, live_server, FAY)
    copy_button(page, code).click()
    expect(copy_button(page, code)).to_contain_text("Copied")
    assert len(watch.requests) > 3
    assert watch.outside(live_server.url) == []
    assert watch.problems == []


# ---- with messages of the test's making ----------------------------------------------------


def test_a_phone_named_in_the_address_waits_for_its_first_message(
    page: Page, live_server: LiveServer
) -> None:
    messages = [message("111111", number=ANA)]
    stub(page, messages)
    open_phone(page, live_server, BEN)
    expect(chooser(page, ANA)).to_be_visible()
    expect(page.get_by_role("heading", name="No messages yet")).to_be_visible()
    expect(page.locator(".about pre")).to_contain_text(BEN)
    messages.append(message("222222", number=BEN))
    expect(bubble(page, "222222")).to_be_visible()


def test_html_in_a_message_is_shown_as_text(
    page: Page, live_server: LiveServer, watch: Watch
) -> None:
    html = '<img src=x onerror="window.injected=1"><b>482913</b> <script>injected=1</script>'
    stub(page, [message("482913", text=html, purpose="<i>login</i>")])
    open_phone(page, live_server)
    expect(bubble(page, "482913").locator(".text")).to_have_text(html)
    expect(page.locator("#messages :is(img, script, b, i)")).to_have_count(0)
    assert page.evaluate("window.injected") is None
    assert watch.problems == []


def test_what_became_of_a_code_is_shown(page: Page, live_server: LiveServer) -> None:
    shown = {
        "verified": "✓ Verified",
        "expired": "Expired",
        "failed": "Too many wrong codes",
        "canceled": "Canceled",
        "replaced": "Replaced by a newer code",
    }
    stub(page, [message(f"{n:06}", status=status) for n, status in enumerate(shown)])
    open_phone(page, live_server)
    expect(page.locator(".bubble .state")).to_have_text(list(shown.values()))


def test_a_code_expires_on_the_page_without_being_told(page: Page, live_server: LiveServer) -> None:
    now = datetime.now(timezone.utc)
    page.clock.set_fixed_time(now)  # however long the page takes to load
    stub(page, [message("482913", sent=-178)])
    open_phone(page, live_server)
    expect(bubble(page, "482913")).to_contain_text("Expires in 0:0")
    page.clock.set_fixed_time(now + timedelta(seconds=10))
    expect(bubble(page, "482913")).to_contain_text("Expired")


def test_a_message_to_another_phone_waits_there_unread(page: Page, live_server: LiveServer) -> None:
    messages = [message("111111", number=ANA)]
    stub(page, messages)
    open_phone(page, live_server)
    expect(bubble(page, "111111")).to_be_visible()
    messages.append(message("222222", number=BEN))
    expect(chooser(page, BEN)).to_contain_text("1 new")
    expect(spoken(page)).to_contain_text(f"New message to {grouped(BEN)}")
    expect(bubble(page, "111111")).to_be_visible()
    chooser(page, BEN).click()
    expect(chooser(page, BEN)).not_to_contain_text("new")


def test_the_phone_with_the_newest_message_comes_first(page: Page, live_server: LiveServer) -> None:
    messages = [message(str(n) * 6, number=number) for n, number in enumerate((ANA, CLEO, BEN))]
    stub(page, messages)
    open_phone(page, live_server)
    links = page.locator("#phones .number")
    expect(links).to_have_text([grouped(BEN), grouped(CLEO), grouped(ANA)])
    messages.append(message("999999", number=CLEO))
    expect(links).to_have_text([grouped(CLEO), grouped(BEN), grouped(ANA)])


def test_every_time_has_one_form(page: Page, live_server: LiveServer) -> None:
    stub(page, [message("111111", sent=-90_000, number=BEN), message("222222", number=ANA)])
    open_phone(page, live_server)
    expect(page.locator("time")).to_have_count(3)
    for time in page.locator("time").all_text_contents():
        assert re.fullmatch(r"([A-Z][a-z]{2} \d{1,2}, )?[0-2]\d:[0-5]\d:[0-5]\d", time)


def test_reading_older_messages_is_not_disturbed(page: Page, live_server: LiveServer) -> None:
    messages = [message(f"{number:06}") for number in range(20)]
    stub(page, messages)
    open_phone(page, live_server)
    expect(bubble(page, "000019")).to_be_in_viewport()
    page.locator("#log").evaluate("log => { log.scrollTop = 100 }")
    messages.append(message("999999"))
    newest = page.get_by_role("button", name="Newest message")
    expect(newest).to_contain_text("1 new")
    assert page.locator("#log").evaluate("log => log.scrollTop") == 100
    newest.click()
    expect(bubble(page, "999999")).to_be_in_viewport()
    expect(newest).to_be_hidden()


def test_a_lost_connection_is_said_calmly_and_mends_itself(
    page: Page, live_server: LiveServer
) -> None:
    stub(page, [message("482913")])
    open_phone(page, live_server)
    expect(bubble(page, "482913")).to_be_visible()
    page.route("**/sandbox/messages", lambda route: route.abort())
    expect(page.locator("#status")).to_have_text("Connection lost, retrying…")
    expect(bubble(page, "482913")).to_be_visible()
    stub(page, [message("482913"), message("777777")])
    expect(bubble(page, "777777")).to_be_visible()
    expect(page.locator("#status")).not_to_contain_text("lost")


def test_a_hidden_tab_asks_nothing_and_a_shown_one_at_once(
    page: Page, live_server: LiveServer, watch: Watch
) -> None:
    page.add_init_script("Object.defineProperty(document, 'hidden', { get: () => window.away })")
    page.clock.install()
    stub(page, [message("482913")])
    open_phone(page, live_server)
    expect(bubble(page, "482913")).to_be_visible()
    set_away(page, away=True)
    page.wait_for_timeout(200)  # a request already under way may end
    asked = polls(watch)
    page.wait_for_timeout(1500)
    assert polls(watch) == asked
    page.clock.pause_at(datetime.now(timezone.utc) + timedelta(minutes=1))  # no timer runs
    with page.expect_request("**/sandbox/messages"):
        set_away(page, away=False)
