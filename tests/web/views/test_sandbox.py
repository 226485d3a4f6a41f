"""The sandbox's phone, as a program sees it; `e2e/` has it as a person does."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

PHONE = {"phone_number": "+919876543210"}


def messages(client: FlaskClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/sandbox/messages").get_json()["data"]["messages"]
    return found


def test_every_message_is_there_with_its_code_oldest_first(client: FlaskClient) -> None:
    codes = [
        client.post("/resend-otp", json=PHONE | {"purpose": purpose}).get_json()["data"]["otp"]
        for purpose in ("login", "payment", "login")
    ]
    found = messages(client)
    assert [message["code"] for message in found] == codes
    assert [message["status"] for message in found] == ["replaced", "pending", "pending"]
    assert {message["phone_number"] for message in found} == {"+919876543210"}
    assert all(message["text"].startswith(message["code"]) for message in found)


def test_a_message_tells_what_became_of_its_verification(client: FlaskClient) -> None:
    sent = client.post("/send-otp", json=PHONE).get_json()["data"]
    client.post("/verify-otp", json=PHONE | {"otp": sent["otp"]})
    assert messages(client)[0]["status"] == "verified"


def test_the_page_has_the_messages_for_browsers_without_javascript(client: FlaskClient) -> None:
    code = client.post("/send-otp", json=PHONE).get_json()["data"]["otp"]
    page = client.get("/sandbox")
    assert code in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
