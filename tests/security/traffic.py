"""All that can be asked of the service, right and wrong, with canaries wherever one fits."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import requests
from flask import Flask

from otp_service.simulator import Simulator
from tests.security.canary import (
    CLIENT_IP,
    FIXED_CODE,
    FORWARDED_IP,
    HOOK_SECRET,
    REQUEST_KEY,
    SECRETS,
    TEST_PHONE,
    Canary,
)
from tests.storage.helpers import wrong

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", FIXED_CODE)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {
    "X-Forwarded-For": FORWARDED_IP,
    "X-Request-ID": TEST_PHONE[1:],
    "User-Agent": f"{TEST_PHONE} {FIXED_CODE}",
    "Referer": f"http://127.0.0.1/{TEST_PHONE}/{FIXED_CODE}",
    "Cookie": f"code={FIXED_CODE}",
    "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
    "tracestate": f"shop={TEST_PHONE[1:]}",
    "baggage": f"phone={TEST_PHONE[1:]},code={FIXED_CODE}",
}
BOTH = {"phone_number": TEST_PHONE, "otp": FIXED_CODE}
JSON = {"Content-Type": "application/json"}
WRONG_BODIES = [
    json.dumps(BOTH)[:-1],
    json.dumps([BOTH]),
    json.dumps({"phone_number": int(TEST_PHONE), "otp": int(FIXED_CODE)}),
    json.dumps({"phone_number": [TEST_PHONE], "otp": {FIXED_CODE: TEST_PHONE}}),
    json.dumps(BOTH | {"note": f"{TEST_PHONE} {FIXED_CODE}"}),
    json.dumps(BOTH | {"phone_number": TEST_PHONE + "999"}),
    json.dumps(BOTH | {"otp": FIXED_CODE + "\n"}),
    json.dumps(BOTH | {"purpose": f"{TEST_PHONE} {FIXED_CODE}"}),
    json.dumps(BOTH | {"channel": FIXED_CODE, "locale": FIXED_CODE, "client_ip": FIXED_CODE}),
    json.dumps(BOTH)[:-1] + ', "note": NaN}',
    f'{{"otp": {"[" * 50}"{FIXED_CODE}"{"]" * 50}}}',
    json.dumps(BOTH).encode() + b"\xff",
    json.dumps(BOTH) + " " * 20_000,
]
FAULTS = ("http:400", "http:401", "http:429", "closed", "garbage", "html", "error-200", "no-id")
RECEIPT = {
    "id": "an-id",
    "type": "failed",
    "destination": TEST_PHONE,
    "payload": {"code": FIXED_CODE, "reason": f"{FIXED_CODE} did not reach {TEST_PHONE}"},
}
WRONG_RECEIPTS = [
    json.dumps({"type": "message-event", "payload": RECEIPT}),
    json.dumps({"entry": [{"changes": [{"value": {"statuses": [FIXED_CODE, TEST_PHONE]}}]}]}),
    json.dumps({"otp": FIXED_CODE, "phone": TEST_PHONE})[:-1],
    json.dumps([{"externalId": "an-id", "destAddr": TEST_PHONE, "eventType": FIXED_CODE}]),
]


@dataclass
class Traffic:
    """Everybody who calls the service at ``url``. ``answers`` are all that it gave."""

    url: str
    simulator: Simulator
    canary: Canary
    key: str = ""
    answers: list[requests.Response] = field(default_factory=list)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """``body`` is JSON's, or text, or bytes. Headers are named with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        raw = body if isinstance(body, str | bytes) or body is None else json.dumps(body)
        answer = requests.request(
            method,
            self.url + path,
            data=raw.encode() if isinstance(raw, str) else raw,
            headers={**HEADERS, **JSON, "Authorization": f"Bearer {self.key}", **named},
            allow_redirects=False,
            timeout=30,
        )
        self.answers.append(answer)
        return answer

    def post(self, path: str, phone: str, **more: Any) -> Any:
        """The answer's body."""
        return self.call("POST", path, {"phone_number": phone, **more}).json()

    def code(self, phone: str) -> str:
        """What the phone shows; from now on nobody may tell it."""
        code = self.simulator.last_code(phone)
        assert code
        self.canary.codes.add(code)
        return code

    def cancel(self, sent: Any) -> None:
        self.call("DELETE", f"/verifications/{sent['data']['verification_id']}")


def every_route_with_every_method(traffic: Traffic, app: Flask) -> None:
    query = f"?token={FIXED_CODE}&phone=%2B{TEST_PHONE[1:]}"
    for rule in app.url_map.iter_rules():
        for value in (TEST_PHONE, FIXED_CODE):
            path = _filled(app, rule.endpoint, rule.arguments, value)
            for method in METHODS:
                traffic.call(method, path + query, BOTH)
        traffic.call("GET", path, Authorization=f"Bearer otp_{FIXED_CODE}")
    traffic.call("GET", f"/{TEST_PHONE}/{FIXED_CODE}")


def _filled(app: Flask, endpoint: str, arguments: Iterable[str], value: str) -> str:
    adapter = app.url_map.bind("")
    return adapter.build(endpoint, dict.fromkeys(arguments, value))


def wrong_requests(traffic: Traffic, other_key: str) -> None:
    for path in ("/send-otp", "/resend-otp", "/verify-otp"):
        for body in WRONG_BODIES:
            traffic.call("POST", path, body)
        traffic.call("POST", path, BOTH, Authorization=f"Basic {FIXED_CODE}")
        traffic.call("POST", path, BOTH, Authorization=f"Bearer {other_key}")
        traffic.call("POST", path, BOTH, Content_Type=f"text/plain; code={FIXED_CODE}")
        traffic.call("POST", path, BOTH, Idempotency_Key=f"{TEST_PHONE} {FIXED_CODE}")
        traffic.call("POST", path, b"x" * 1_100_000)


def a_life(traffic: Traffic) -> None:
    """A code that is sent, sent again, guessed at, right, used, canceled; and far too many."""
    phone = traffic.canary.phone()
    for _ in range(2):
        traffic.call(
            "POST",
            "/send-otp",
            {"phone_number": phone, "client_ip": CLIENT_IP},
            Idempotency_Key=REQUEST_KEY,
        )
    traffic.call("POST", "/send-otp", {"phone_number": TEST_PHONE}, Idempotency_Key=REQUEST_KEY)
    old = traffic.code(phone)
    again = traffic.post("/resend-otp", phone, client_ip=CLIENT_IP)
    code = traffic.code(phone)
    traffic.call("GET", f"/verifications/{again['data']['verification_id']}")
    traffic.post("/send-otp", phone)
    for otp in (old, wrong(code), code, code):
        traffic.post("/verify-otp", phone, otp=otp)
    traffic.simulator.settle()


def limits_that_are_reached(traffic: Traffic) -> None:
    phone, other = traffic.canary.phone(), traffic.canary.phone()
    for _ in range(6):
        sent = traffic.post("/send-otp", phone)
        if "verification_id" in sent["data"]:
            traffic.code(phone)
            traffic.cancel(sent)
    for _ in range(3):  # by then the phone is locked, too
        traffic.post("/send-otp", other)
        code = traffic.code(other)
        for otp in [wrong(code)] * 5 + [code]:
            traffic.post("/verify-otp", other, otp=otp)
    traffic.cancel(traffic.post("/send-otp", TEST_PHONE))
    for otp in (FIXED_CODE, wrong(FIXED_CODE)):
        traffic.post("/verify-otp", TEST_PHONE, otp=otp)


def providers_in_trouble(traffic: Traffic) -> None:
    """While one stalls, the others' answers are refusals and rubbish."""
    for fault in FAULTS:
        traffic.simulator.script(next=1, fault=fault)
        traffic.post("/send-otp", traffic.canary.phone(), channel="whatsapp")
    for fault in ("sms-http:401", "sms-http:400", "sms-http:500", "failed:1003"):
        traffic.simulator.script(next=1, fault=fault)
        channel = "sms" if "sms" in fault else "auto"
        traffic.post("/send-otp", traffic.canary.phone(), channel=channel)
    traffic.simulator.script(next=1, fault="http:503")
    body = {"phone_number": traffic.canary.phone(), "channel": "auto"}
    traffic.call("POST", "/send-otp", body, Prefer="respond-async")


def receipts_of_all_kinds(traffic: Traffic) -> None:
    for receipt in WRONG_RECEIPTS:
        for path in ("/webhooks/gupshup", "/webhooks/gupshup-sms", "/webhooks/meta"):
            traffic.call("POST", path, receipt, Authorization=f"Bearer {HOOK_SECRET}")
            traffic.call("POST", f"{path}?token={HOOK_SECRET}", receipt, Authorization="")
            traffic.call("POST", path, receipt, Authorization=f"Bearer {HOOK_SECRET[:-1]}")
        signature = hmac.new(SECRETS["META_APP_SECRET"].encode(), receipt.encode(), "sha256")
        signed = {"X_Hub_Signature_256": f"sha256={signature.hexdigest()}"}
        traffic.call("POST", "/webhooks/meta", receipt, **signed)
    report = f"externalId=an-id&destAddr={TEST_PHONE[1:]}&errCode={FIXED_CODE}&eventType=FAILED"
    traffic.call("GET", f"/webhooks/gupshup-sms?token={HOOK_SECRET}&{report}", Authorization="")
    asked = f"hub.mode=subscribe&hub.verify_token={SECRETS['META_VERIFY_TOKEN']}"
    for challenge in ("1158201444", f"+{TEST_PHONE}"):
        traffic.call("GET", f"/webhooks/meta?{asked}&hub.challenge={challenge}", Authorization="")


def what_nobody_foresaw(traffic: Traffic) -> None:
    for purpose in ("break", "break-thread"):
        traffic.post("/verify-otp", TEST_PHONE, otp=FIXED_CODE, purpose=purpose)
    for header in ("X_Break_After", "X_Break_Teardown"):
        for path in (TEST_PHONE, FIXED_CODE):
            traffic.call("GET", f"/verifications/{path}", **{header: FIXED_CODE})
        traffic.call("POST", "/verify-otp", BOTH, **{header: FIXED_CODE})
