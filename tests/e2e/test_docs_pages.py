"""The API's documentation in a browser, from this server's own files only."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import LiveServer
from tests.e2e.browser import Watch

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


def described_operations(page: Page, server: LiveServer) -> list[tuple[str, str]]:
    """The methods and paths in the OpenAPI document."""
    paths = page.request.get(server.url + "/openapi.json").json()["paths"]
    return [(method, path) for path, item in paths.items() for method in item if method in METHODS]
