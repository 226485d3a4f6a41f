"""Chromium for the tests of pages, and a record of what a page did while it was open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.system import need_library, need_program, need_tool

CHROMIUM_ARGS = [
    "--headless",
    "--no-sandbox",  # it only ever opens our own pages, often as a container's root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing outside is reachable
]


PATIENCE = 30_000  # milliseconds for what takes a fraction of a second on an idle machine
expect.set_options(timeout=PATIENCE)


@dataclass
class Watch:
    """What a page asked for, and what its console complained about, violated policies included."""

    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def outside(self, origin: str) -> list[str]:
        """The requests that were not to this origin."""
        own = (origin + "/", f"blob:{origin}/", "data:")
        return [url for url in self.requests if not url.startswith(own)]

    def note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(message.text)


def violations(page: Page, part: str = "html") -> set[str]:
    """The ids of axe-core's rules that this part of the page, as it is now, does not keep."""
    page.evaluate(need_tool("axe-core/axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("part => axe.run(part, { resultTypes: ['violations'] })", part)
    return {rule["id"] for rule in found["violations"]}


def chromium() -> str:
    """The path of the browser, once all that Playwright needs is there."""
    need_library("atomic", package="libatomic1")  # Playwright's own Node.js wants it
    return need_program("chromium", "chromium-browser", package="chromium")


@pytest.fixture(scope="module")  # Playwright's event loop must not outlive the tests that use it
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window on a desktop, with a clipboard and nothing left from another test."""
    context = browser.new_context(
        locale="en-US",
        viewport={"width": 1280, "height": 800},
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


@pytest.fixture
def watch(page: Page) -> Watch:
    """Records from the moment a test asks for it: before it opens its page."""
    watch = Watch()
    page.on("request", lambda request: watch.requests.append(request.url))
    page.on("console", watch.note)
    page.on("pageerror", lambda error: watch.problems.append(str(error)))
    return watch
