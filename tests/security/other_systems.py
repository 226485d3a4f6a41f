"""Codes that others made, and those who are told what became of them: asked right and wrong."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from tests.faults.waiting import until
from tests.security.canary import CLIENT_IP, ENDPOINT_TOKEN, REQUEST_KEY
from tests.security.traffic import FAULTS, WRONG_BODIES, Traffic
from tests.storage.helpers import wrong
from tests.web.hooks import callers

SERVICE = "/twilio/v2/Services/VA" + "fedcba9876543210" * 2
VERIFICATIONS, CHECK = f"{SERVICE}/Verifications", f"{SERVICE}/VerificationCheck"
TOLD = {"verification.started", "verification.verified", "verification.failed"}
TOLD |= {"verification.canceled", "message.submitted", "message.delivered", "message.failed"}


def messages(traffic: Traffic) -> None:
    """At once, later, in a text, again, too late, and not as it should be."""
    canary = traffic.canary
    body = {"phone_number": canary.phone(), "otp": canary.given_code(), "client_ip": CLIENT_IP}
    for more in ({}, {"otp": canary.given_code()}):
        traffic.call("POST", "/messages", body | more, Idempotency_Key=f"{REQUEST_KEY}-2")
    text = f"{canary.given_code()} is your code"
    sent = traffic.post("/messages", canary.phone(), text=text, expires_in=30)
    traffic.call("GET", f"/messages/{sent['data']['message_id']}")
    traffic.call("GET", f"/verifications/{sent['data']['message_id']}")
    later(traffic)
    for raw in WRONG_BODIES:
        traffic.call("POST", "/messages", raw)
    for odd in ("12 34", f"{canary.given_code()} or {canary.given_code()}", "x" * 2000):
        traffic.post("/messages", canary.phone(), text=odd)
    refused = canary.phone()
    for _ in range(6):  # more than a phone gets in ten minutes
        traffic.post("/messages", refused, otp=canary.given_code())


def later(traffic: Traffic) -> str:
    """A message for the worker, which the provider takes at the third try. Its id."""
    phone = traffic.canary.phone()
    traffic.simulator.script(phone, next=2, fault="http:429")
    body = {"phone_number": phone, "otp": traffic.canary.given_code(), "channel": "whatsapp"}
    answer = traffic.call("POST", "/messages", body, Prefer="respond-async")
    return str(answer.json()["data"]["message_id"])


def messages_to_providers_in_trouble(traffic: Traffic) -> None:
    for fault in FAULTS:
        phone = traffic.canary.phone()
        traffic.simulator.script(phone, next=1, fault=fault)
        traffic.post("/messages", phone, otp=traffic.canary.given_code(), channel="whatsapp")


def hooks(traffic: Traffic) -> None:
    """Each of them: right, again, signed by nobody, too old, without its code, to no phone."""
    for caller in callers.ALL:
        phone, code = traffic.canary.phone(), traffic.canary.given_code()
        body = caller.message(phone, code)
        for _ in range(2):
            hand_over(traffic, caller, body)
        hand_over(traffic, caller, body, age=600)
        odd: dict[str, Any] = {caller.code: code + "x", caller.phone: f"{phone}99999"}
        for path, value in odd.items():
            hand_over(traffic, caller, callers.with_value(body, path, value))
            hand_over(traffic, caller, callers.with_value(body, path, [value]))
            hand_over(traffic, caller, callers.with_value(body, path, ...))
        request = caller.request(body)
        signed = request["headers"]
        for raw in (request["data"][:-1], request["data"] + b" " * 300_000):
            traffic.call("POST", caller.path, raw, **signed)
        unsigned = {name: value[:-2] for name, value in signed.items()}
        traffic.call("POST", caller.path, request["data"], **unsigned | {"Content-Type": code})


def hand_over(traffic: Traffic, caller: callers.Caller, body: Any, **how: Any) -> None:
    request = caller.request(body, **how)
    traffic.call("POST", caller.path, request["data"], **request["headers"])


def twilio(traffic: Traffic) -> None:
    """A custom code that is checked wrong and right, one of ours that is guessed at, and errors."""
    canary = traffic.canary
    phone, code = canary.phone(), canary.given_code()
    form(traffic, VERIFICATIONS, To=phone, Channel="sms", CustomCode=code, DeviceIp=CLIENT_IP)
    for guess in (wrong(code), code, code):
        form(traffic, CHECK, To=phone, Code=guess)
    other = canary.phone()
    form(traffic, VERIFICATIONS, To=other, Channel="whatsapp")
    for guess in [wrong(traffic.code(other))] * 6:
        form(traffic, CHECK, To=other, Code=guess)
    third = canary.phone()
    form(traffic, VERIFICATIONS, To=third, Channel="auto", CustomCode=canary.given_code())
    for path in (third, "VE" + "0" * 32):
        traffic.call("GET", f"{VERIFICATIONS}/{path}", Authorization=basic(traffic.key))
        form(traffic, f"{VERIFICATIONS}/{path}", Status="canceled")
    for odd in (f"{phone}99999", code, "x" * 300):
        form(traffic, VERIFICATIONS, To=odd, Channel=odd, CustomCode=odd)
        form(traffic, CHECK, To=odd, Code=odd)
    traffic.call("POST", VERIFICATIONS, {"To": phone, "CustomCode": code})
    form(traffic, VERIFICATIONS, To=phone, key=f"otp_{code}")


def form(traffic: Traffic, path: str, key: str = "", **fields: str) -> None:
    body = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in fields.items())
    kind = "application/x-www-form-urlencoded"
    traffic.call("POST", path, body, Content_Type=kind, Authorization=basic(key or traffic.key))


def basic(key: str) -> str:
    return "Basic " + b64encode(f"AC{'0' * 32}:{key}".encode()).decode()


def have_events_told(traffic: Traffic, add: Any) -> None:
    """To the simulator, which fails at first; and to nobody. ``add`` runs the command."""
    for fault in ("event-http:500", "event-http:302", "event-closed"):
        traffic.simulator.script(next=1, fault=fault)
    secret = add(traffic.simulator.events_url)
    traffic.simulator.events_secrets = {secret}
    add(f"{traffic.simulator.url}/nowhere?token={ENDPOINT_TOKEN}")


def all_events_are_told(traffic: Traffic) -> None:
    simulator = traffic.simulator
    until(lambda: {event.type for event in simulator.events() if event.answer == "204"} >= TOLD)
