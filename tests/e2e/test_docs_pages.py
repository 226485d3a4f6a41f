"""The API's documentation in a browser, from this server's own files only."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import LiveServer
from tests.e2e.browser import Watch, violations

# How Swagger UI and ReDoc build their pages; nobody can't read or reach something for it.
THEIRS = {
    "heading-order",
    "label-content-name-mismatch",
    "landmark-unique",
    "nested-interactive",
    "region",
}
METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}


def test_swagger_ui_shows_every_operation(page: Page, live_server: LiveServer) -> None:
    expected = described_operations(page, live_server)
    page.goto(live_server.url + "/docs")
    operations = page.locator(".opblock-summary")
    expect(operations).to_have_count(len(expected))
    shown = operations.evaluate_all(
        """all => all.map((one) => [
            one.querySelector(".opblock-summary-method").textContent.toLowerCase(),
            one.querySelector("[data-path]").dataset.path,
        ])"""
    )
    assert sorted(map(tuple, shown)) == sorted(expected)


def test_redoc_shows_every_operation(page: Page, live_server: LiveServer) -> None:
    expected = described_operations(page, live_server)
    page.goto(live_server.url + "/redoc")
    operations = page.locator(":is([data-section-id*='/operation/'], [data-section-id*='/paths/'])")
    expect(operations).to_have_count(len(expected))
    text = page.locator("#redoc").inner_text()
    assert [path for _, path in expected if path not in text] == []


def test_an_operation_can_be_tried_from_swagger_ui(page: Page, live_server: LiveServer) -> None:
    page.goto(live_server.url + "/docs")
    health = page.locator(".opblock", has=page.locator("[data-path='/health']"))
    health.locator(".opblock-summary-control").click()
    health.get_by_role("button", name="Try it out").click()
    health.get_by_role("button", name="Execute").click()
    expect(health.locator(".live-responses-table")).to_contain_text("healthy")


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_it_asks_no_other_site_and_stays_within_its_policy(
    page: Page, live_server: LiveServer, watch: Watch, path: str
) -> None:
    page.goto(live_server.url + path)
    expect(page.get_by_text("/send-otp").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert f"{live_server.url}/openapi.json" in watch.requests
    assert watch.outside(live_server.url) == []
    assert watch.problems == []


def test_swagger_ui_follows_the_systems_dark_scheme(page: Page, live_server: LiveServer) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(live_server.url + "/docs")
    expect(page.locator("html")).to_have_class("dark-mode")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).not_to_have_class("dark-mode")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_swagger_ui_can_be_read_by_everyone(
    page: Page, live_server: LiveServer, scheme: Literal["light", "dark"], width: int
) -> None:
    """axe finds nothing, contrast included, in what a person opens and tries; on a phone, too."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(live_server.url + "/docs")
    for path in ("/webhooks/gupshup", "/health", "/verifications/{verification_id}"):
        operation = page.locator(".opblock", has=page.locator(f"[data-path='{path}']")).first
        operation.locator(".opblock-summary-control").click()
        operation.get_by_role("button", name="Try it out").click()
    page.locator(".is-open").get_by_role("button", name="Execute").nth(1).click()
    expect(page.locator(".live-responses-table")).to_be_visible()
    page.locator(".is-open .tablinks[data-name=model]").last.click()
    page.locator(".json-schema-2020-12-expand-deep-button").last.click()
    assert violations(page) <= THEIRS
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Authorize", exact=True).click()
    expect(page.locator(".modal-ux")).to_be_visible()
    assert violations(page, ".modal-ux") <= THEIRS


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_redoc_can_be_read_by_everyone(
    page: Page, live_server: LiveServer, scheme: Literal["light", "dark"], width: int
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(live_server.url + "/redoc")
    expect(page.get_by_text("/send-otp").first).to_be_attached()
    assert violations(page) <= THEIRS
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_the_page_of_an_error_can_be_read_by_everyone(
    page: Page, live_server: LiveServer, watch: Watch, scheme: Literal["light", "dark"], width: int
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    for code in ("invalid_phone_number", "invalid_otp"):
        page.goto(f"{live_server.url}/docs/errors/{code}")
        expect(page.get_by_role("heading", level=1)).to_have_text(code)
        assert violations(page) == set()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert watch.problems == []


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_it_tells_keys_limits_and_errors_before_the_first_call(
    page: Page, live_server: LiveServer, path: str
) -> None:
    page.goto(live_server.url + path)
    expect(page.get_by_text("/send-otp").last).to_be_attached()
    text = page.locator("body").inner_text()
    told = ["Keys and scopes", "Answers and errors", "Limits", "Repeating a request"]
    places = [text.rindex(f"{title}\n") for title in (*told, "Without waiting")]
    assert places == sorted(places)
    assert places[-1] < text.rindex("/send-otp")


def test_tags_are_shown_in_the_order_of_the_work(page: Page, live_server: LiveServer) -> None:
    page.goto(live_server.url + "/docs")
    tags = page.locator(".opblock-tag")
    expect(tags).to_have_count(8)
    shown = tags.evaluate_all("all => all.map((one) => one.dataset.tag)")
    assert shown == [
        "Codes", "Verifications", "Messages", "Twilio",
        "Webhooks", "Operations", "Debugging", "Pages",
    ]  # fmt: skip


def test_what_swagger_ui_proposes_takes_the_tour(page: Page, live_server: LiveServer) -> None:
    """Send and check, as they are proposed: the sandbox's number has the code in the example."""
    page.goto(live_server.url + "/docs")
    for path, answer in (("/send-otp", "sent"), ("/verify-otp", "verified")):
        operation = page.locator(".opblock", has=page.locator(f"[data-path='{path}']"))
        operation.locator(".opblock-summary-control").click()
        operation.get_by_role("button", name="Try it out").click()
        operation.get_by_role("button", name="Execute").click()
        shown = operation.locator(".live-responses-table")
        expect(shown).to_contain_text(f"OTP {answer} successfully")


def described_operations(page: Page, server: LiveServer) -> list[tuple[str, str]]:
    """The methods and paths in the OpenAPI document."""
    paths = page.request.get(server.url + "/openapi.json").json()["paths"]
    return [(method, path) for path, item in paths.items() for method in item if method in METHODS]
