"""Takes the README's pictures of the sandbox's phone: ``python -m scripts.screenshots``.

The pages are the application's own; the messages and the clock are fixed, so that a picture
changes only when the page does. Needs the development requirements and Chromium.
"""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from playwright.sync_api import Browser, Route, sync_playwright

from otp_service import create_app
from otp_service.domain.phone import grouped
from otp_service.storage.models.base import db
from otp_service.storage.schema import upgrade
from tests.e2e.browser import CHROMIUM_ARGS, chromium

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
ORIGIN = "http://localhost:8000"  # what `make run` serves; here the application answers directly
NOW = datetime(2026, 11, 22, 17, 30, 28, tzinfo=timezone.utc)
TEXT = "{} is your verification code. For your security, do not share this code."

# seconds ago, phone number, code, purpose, what became of it
MESSAGES = [
    (3900, "+1234567890", "482913", "login", "expired"),
    (1500, "+919876543210", "551207", "login", "verified"),
    (610, "+1234567890", "730264", "login", "verified"),
    (19, "+1234567890", "118245", "payment", "pending"),
]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        environ = {"DATABASE_URL": f"sqlite:///{folder}/otp.db"}
        app = create_app(environ, instance=Path(folder))
        with app.app_context():
            upgrade(db.engine)
        client = app.test_client()
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGS)
        photograph(browser, client, "light")
        photograph(browser, client, "dark")
        browser.close()


def photograph(browser: Browser, client: FlaskClient, scheme: Literal["light", "dark"]) -> None:
    page = browser.new_page(
        viewport={"width": 1280, "height": 800},
        device_scale_factor=1.5,
        color_scheme=scheme,
        reduced_motion="reduce",
        locale="en-US",
        timezone_id="UTC",
    )
    page.clock.set_fixed_time(NOW)
    page.route(f"{ORIGIN}/**", lambda route: answer(route, client))
    page.goto(f"{ORIGIN}/sandbox")
    page.locator(".bubble").last.wait_for()
    page.screenshot(path=IMAGES / f"sandbox-{scheme}.png")
    page.close()


def answer(route: Route, client: FlaskClient) -> None:
    path = urlsplit(route.request.url).path
    if path == "/sandbox/messages":
        route.fulfill(json={"success": True, "message": "", "data": {"messages": messages()}})
        return
    response = client.get(path)
    route.fulfill(status=response.status_code, headers=dict(response.headers), body=response.data)


def messages() -> list[dict[str, Any]]:
    return [
        {
            "id": f"d-{code}",
            "phone_number": number,
            "shown_number": grouped(number),
            "purpose": purpose,
            "text": TEXT.format(code),
            "code": code,
            "sent_at": (NOW - timedelta(seconds=ago)).isoformat(),
            "expires_at": (NOW - timedelta(seconds=ago) + timedelta(minutes=3)).isoformat(),
            "status": status,
        }
        for ago, number, code, purpose, status in MESSAGES
    ]


if __name__ == "__main__":
    main()
