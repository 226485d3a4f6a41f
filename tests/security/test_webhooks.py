"""Webhooks tell a stranger nothing, and verify nobody."""

from __future__ import annotations

import re

import pytest

from tests.conftest import MakeApp, Serve
from tests.security.raw_http import PHONE, SECRET, raw_responses, statuses


@pytest.mark.statement(16)
@pytest.mark.parametrize("path", ["/webhooks/gupshup", "/webhooks/gupshup-sms", "/webhooks/meta"])
def test_every_wrong_secret_gets_the_same_401(make_app: MakeApp, serve: Serve, path: str) -> None:
    real = {"META_APP_SECRET": SECRET, "META_VERIFY_TOKEN": SECRET, "OTP_EXPOSE_CODE": "off"}
    meta = {"META_ACCESS_TOKEN": "a", "META_PHONE_NUMBER_ID": "1", "META_TEMPLATE": "t"}
    server = serve(make_app(**real, **meta, GUPSHUP_WEBHOOK_SECRET=SECRET))
    wrong = ["", "x", SECRET[:-1], SECRET[1:], f"x{SECRET}", f"{SECRET}x", SECRET.upper()]
    heard = set()
    for secret in [*wrong, SECRET * 1000]:
        names = ("Authorization", "X-Hub-Signature-256", "X-API-Key")
        for name, kind in zip(names, ("Bearer ", "sha256=", ""), strict=True):
            header = f"{name}: {kind}{secret}\r\nConnection: close\r\n".encode()
            raw = b"POST %b HTTP/1.1\r\nHost: x\r\n%bContent-Length: 2\r\n\r\n{}" % (
                path.encode(),
                header,
            )
            heard.add(_without_what_varies(raw_responses(server, raw)))
    assert [statuses(each) for each in heard] == [[401]]


def _without_what_varies(heard: bytes) -> bytes:
    return re.sub(rb"(?m)^(X-Request-Id|Date): .*$", rb"\1", heard)


@pytest.mark.statement(16)
def test_a_webhook_never_verifies_anyone(make_app: MakeApp) -> None:
    client = make_app(GUPSHUP_WEBHOOK_SECRET=SECRET).test_client()
    sent = client.post("/send-otp", json=PHONE).get_json()["data"]
    known = {"otp": sent["otp"], "verification_id": sent["verification_id"], **PHONE}
    for word in ("delivered", "read", "verified", "success"):
        facts = {**known, "type": word, "gsId": sent["verification_id"], "id": sent["otp"]}
        event = {"type": "message-event", "status": "verified", "payload": facts, **known}
        answer = client.post(f"/webhooks/gupshup?token={SECRET}", json=event)
        assert (answer.status_code, answer.data) == (200, b"")
        batch = [{**known, "externalId": sent["verification_id"], "eventType": word.upper()}]
        assert client.post(f"/webhooks/gupshup-sms?token={SECRET}", json=batch).status_code == 200
    shown = client.get(f"/verifications/{sent['verification_id']}").get_json()["data"]
    assert (shown["status"], shown["attempts_remaining"]) == ("pending", 5)
    body = PHONE | {"otp": sent["otp"]}
    assert client.post("/verify-otp", json=body).get_json()["success"]
