"""Whatever body or header comes in, by Hypothesis: a documented answer, or a plain refusal."""

from __future__ import annotations

import json
import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from otp_service.web import client_address
from otp_service.web.bodies import parse_object
from otp_service.web.errors import InvalidJson
from tests.conftest import MakeApp
from tests.security.fuzzing import through_the_app
from tests.web.hooks import callers

POSTS = ("/send-otp", "/resend-otp", "/verify-otp", "/messages")
PHONE = "+919876543210"
SECRET = "a-webhook-secret-of-the-tests"
# --- bodies ---
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([PHONE, "+14155552671", "123456", "login", "en-IN", "sms", "192.0.2.1"])
)
JSON = st.recursive(
    SCALARS, lambda part: st.lists(part) | st.dictionaries(st.text(), part), max_leaves=20
)
NAMES = ["phone_number", "otp", "purpose", "locale", "channel", "client_ip", "verification_id"]
NAMES += ["text", "expires_in"]
ANY_OBJECT = st.dictionaries(st.sampled_from(NAMES) | st.text(), JSON)
NEARLY = st.fixed_dictionaries(
    {"phone_number": st.sampled_from([PHONE, "+14155552671", "+1234567890"])},
    optional={
        "otp": st.from_regex(r"[0-9]{6}", fullmatch=True) | SCALARS,
        "purpose": st.from_regex(r"[a-z0-9_-]{1,32}", fullmatch=True) | SCALARS,
        "locale": st.sampled_from(["en", "pt-BR", "zh-Hant-TW"]) | SCALARS,
        "channel": st.sampled_from(["auto", "whatsapp", "sms"]) | SCALARS,
        "client_ip": st.ip_addresses().map(str) | SCALARS,
        "verification_id": st.from_regex(r"[pf][0-9a-f]{32}", fullmatch=True) | SCALARS,
        "text": st.from_regex(r"[^0-9]{0,9}[0-9]{3,11}[^0-9]{0,9}", fullmatch=True) | SCALARS,
        "expires_in": st.integers(0, 700) | SCALARS,
    },
)


def check(client: FlaskClient, path: str, answer: TestResponse) -> None:
    """The status is documented for this path, and the body is the envelope."""
    document: dict[str, Any] = client.get("/openapi.json").get_json()["paths"][path]
    assert str(answer.status_code) in document["post"]["responses"]
    envelope = answer.get_json()
    assert isinstance(envelope["success"], bool)
    assert isinstance(envelope["message"], str)
    assert isinstance(envelope["data"], dict)
    assert envelope["success"] == ("error" not in envelope)
    if not envelope["success"]:
        assert re.fullmatch(r"[a-z_]+", envelope["error"]["code"])


@pytest.mark.statement(11, 18)
@pytest.mark.parametrize("path", POSTS)
@given(body=NEARLY | ANY_OBJECT)
@through_the_app
def test_any_object_gets_a_documented_answer(client: FlaskClient, path: str, body: Any) -> None:
    raw = json.dumps(body)
    check(client, path, client.post(path, data=raw, content_type="application/json"))


@pytest.mark.statement(18)
@pytest.mark.parametrize("path", POSTS)
@given(
    raw=st.binary() | st.text(alphabet='{}[]":,\\u0123eE+-. ntrfalse').map(str.encode),
    kind=st.sampled_from(["application/json", "application/json; charset=utf-8"])
    | st.from_regex(r"[ -~]{0,60}", fullmatch=True),
)
@through_the_app
def test_any_bytes_get_a_documented_answer(
    client: FlaskClient, path: str, raw: bytes, kind: str
) -> None:
    check(client, path, client.post(path, data=raw, content_type=kind))


@pytest.mark.statement(18)
@given(st.binary() | JSON.map(json.dumps).map(str.encode) | JSON.map(repr).map(str.encode))
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b'{"a": 1' + b"0" * 5000 + b"}")
@example(b'{"a": 1e400}')
@settings(deadline=None)
def test_bytes_are_one_object_or_none(raw: bytes) -> None:
    try:
        found = parse_object(raw)
    except InvalidJson:
        return
    assert isinstance(found, dict)
    assert found == json.loads(raw) or found != found  # noqa: PLR0124 (NaN by overflow)


EVENT = st.fixed_dictionaries(
    {"type": st.just("message-event")},
    optional={
        "payload": st.fixed_dictionaries(
            {"type": st.sampled_from(["sent", "delivered", "read", "failed"]), "gsId": st.text()},
            optional={"id": JSON, "destination": JSON, "payload": JSON},
        ),
        "timestamp": SCALARS,
        "entry": JSON,
    },
)


@pytest.fixture
def provider(make_app: MakeApp) -> FlaskClient:
    """Of a service that takes receipts."""
    return make_app(GUPSHUP_WEBHOOK_SECRET=SECRET).test_client()


@pytest.mark.statement(16)
@given(EVENT | ANY_OBJECT)
@through_the_app
def test_any_event_is_acknowledged_or_refused(provider: FlaskClient, body: Any) -> None:
    raw = json.dumps(body)
    for path in ("/webhooks/gupshup", "/webhooks/gupshup-sms"):
        answer = provider.post(f"{path}?token={SECRET}", data=raw)
        assert answer.status_code == 200 or answer.get_json()["error"]["code"] == "invalid_json"


# --- hooks ---
def parts(body: Any, path: str = "") -> list[str]:
    """The paths of all that is in it, as ``sms.otp``."""
    if not isinstance(body, dict):
        return [path]
    below = [each for name, inner in body.items() for each in parts(inner, f"{path}.{name}")]
    return ([path] if path else []) + below


@pytest.fixture
def hooks(make_app: MakeApp) -> FlaskClient:
    """Of a service to which other systems hand over codes."""
    return make_app(**callers.SETTINGS).test_client()


@pytest.mark.parametrize("caller", callers.ALL, ids=lambda caller: caller.name)
@given(data=st.data(), value=JSON)
@through_the_app
def test_whatever_a_system_hands_over_is_answered_as_it_is_documented(
    hooks: FlaskClient, caller: callers.Caller, data: st.DataObject, value: Any
) -> None:
    body = caller.message(PHONE, "123456")
    odd = data.draw(st.sampled_from(parts(body)).map(lambda path: path.removeprefix(".")))
    answer = hooks.post(caller.path, **caller.request(callers.with_value(body, odd, value)))
    documented = hooks.get("/openapi.json").get_json()["paths"][caller.path]["post"]["responses"]
    assert str(answer.status_code) in documented


# --- headers ---
VALUES = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"))


@given(
    key=VALUES | st.from_regex(r"[!-~]{1,300}", fullmatch=True),
    prefer=VALUES | st.sampled_from(["respond-async", "wait=10, Respond-Async; x=1", ",;,"]),
)
@through_the_app
def test_any_preference_and_key_get_a_documented_answer(
    client: FlaskClient, key: str, prefer: str
) -> None:
    headers = {"Idempotency-Key": key, "Prefer": prefer}
    answer = client.post("/send-otp", json={"phone_number": PHONE}, headers=headers)
    check(client, "/send-otp", answer)
    fits = re.fullmatch(r"[!-~]{1,255}", key)
    assert (answer.status_code == 400) == (not fits)
    again = client.post("/send-otp", json={"phone_number": PHONE}, headers=headers)
    assert again.status_code == answer.status_code


@pytest.mark.statement(10)
@given(VALUES | st.lists(st.ip_addresses().map(str)).map(", ".join))
@settings(deadline=None)
def test_any_list_of_forwarders_gives_an_address(told: str) -> None:
    def caller(peer: str, app: Flask) -> IPv4Address | IPv6Address:
        base = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": told}
        with app.test_request_context(environ_base=base):
            return client_address.caller([ip_network("10.0.0.0/8")])

    app = Flask("any")
    assert caller("203.0.113.9", app) == ip_address("203.0.113.9")
    assert isinstance(caller("10.0.0.1", app), IPv4Address | IPv6Address)
