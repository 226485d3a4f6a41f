"""Whatever comes in, by Hypothesis: an answer that is documented, or a plain refusal."""

from __future__ import annotations

import json
import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import phonenumbers
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from waitress.adjustments import Adjustments
from waitress.buffers import OverflowableBuffer
from werkzeug.test import TestResponse

from otp_service.domain.errors import InvalidPhoneNumber
from otp_service.domain.phone import read
from otp_service.environment import Reader
from otp_service.server import connection as connections
from otp_service.server import framing
from otp_service.settings.limits import read_limits
from otp_service.web import client_address
from otp_service.web.bodies import parse_object
from otp_service.web.errors import InvalidJson
from tests.conftest import LiveServer, MakeApp

POSTS = ("/send-otp", "/resend-otp", "/verify-otp")
PHONE = "+919876543210"
SECRET = "a-webhook-secret-of-the-tests"
# One application serves all examples of a test: what they leave behind is part of the trial.
through_the_app = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# --- phones ---

REAL_NUMBERS = sorted(
    phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    for region in phonenumbers.SUPPORTED_REGIONS
    if (number := phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE))
)
BETWEEN = st.sampled_from(["", "", "", " ", "-", ".", "\u00a0", "\u2011", " - "])
DIGITS = st.sampled_from(
    ["0123456789", "٠١٢٣٤٥٦٧٨٩", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19"]
)


@st.composite
def another_way(draw: st.DrawFn, number: str) -> str:
    """``number`` as somebody else may write it."""
    spelled = number[1:].translate(str.maketrans("0123456789", draw(DIGITS)))
    plus = draw(st.sampled_from(["+", "\uff0b", "tel:+", " +", ""]))
    if not plus:
        return number[1:]  # digits alone are international, as the original API took them
    return plus + "".join(digit + draw(BETWEEN) for digit in spelled)


@pytest.mark.statement(12)
@given(st.sampled_from(REAL_NUMBERS), st.data())
@settings(deadline=None)
def test_one_phone_is_one_phone_however_it_is_written(number: str, data: st.DataObject) -> None:
    written = data.draw(another_way(number))
    assert read(written).e164 == number


@pytest.mark.statement(12)
@given(st.text(alphabet="0123456789+-() .;=/extTel:ph\uff0b٣*#w,\n\0", max_size=70) | st.text())
@settings(deadline=None, max_examples=300)
def test_a_text_is_one_phone_or_none(text: str) -> None:
    try:
        number = read(text).e164
    except InvalidPhoneNumber:
        return
    assert re.fullmatch(r"\+[1-9][0-9]{4,14}", number, re.ASCII)
    assert read(number).e164 == number


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
    },
)


def check(client: FlaskClient, path: str, answer: TestResponse) -> None:
    """The status is documented for this path, and the body is the envelope."""
    document: dict[str, Any] = client.application.extensions["openapi"]["paths"][path]
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


# --- settings ---


@given(st.lists(st.tuples(st.integers(1, 99), st.integers(1, 29), st.sampled_from("smhd"))))
def test_limits_mean_what_is_written(windows: list[tuple[int, int, str]]) -> None:
    assume(0 < len(windows) <= 5)
    read = Reader({"OTP_SEND_LIMITS": " , ".join(f"{n}/{time}{unit}" for n, time, unit in windows)})
    found = read_limits(read, keys_required=False).phone_sends
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    assert read.problems == []
    assert [(each.count, each.seconds) for each in found] == [
        (count, time * seconds[unit]) for count, time, unit in windows
    ]


@given(st.text() | st.text(alphabet="0123456789/smhd, -"))
def test_any_other_limit_is_a_problem_that_names_its_variable(text: str) -> None:
    read = Reader({"OTP_SEND_LIMITS": text})
    found = read_limits(read, keys_required=False).phone_sends
    assert found
    assert all(each.count > 0 and each.seconds > 0 for each in found)
    assert all(problem.startswith("OTP_SEND_LIMITS must be") for problem in read.problems)


# --- the wire ---

PLAIN = st.sampled_from(
    [
        b"Content-Length: 5",
        b"CONTENT-LENGTH:0",
        b"Transfer-Encoding: chunked",
        b"TRANSFER-ENCODING:chunked",
        b"Host: x",
    ]
)
ODD = st.sampled_from(
    [b"content-length : 5", b"Transfer-Encoding: identity", b" folded", b"X: \xff", b"\0"]
)
NOISY = st.tuples(PLAIN | ODD | st.binary(), st.sampled_from([b"\r\n", b"\n", b"\r"]))
BLOCKS = st.lists(PLAIN, max_size=4).map(b"\r\n".join) | st.lists(NOISY.map(b"".join)).map(b"".join)
STARTS = st.sampled_from(
    [b"POST /send-otp HTTP/1.1\r\nHost: x", b"POST / HTTP/1.1", b"GET / HTTP/1.0", b"GET /"]
)


@pytest.mark.statement(20)
@given(STARTS, BLOCKS)
@settings(deadline=None, max_examples=300)
def test_headers_that_are_taken_say_once_how_long_the_body_is(start: bytes, block: bytes) -> None:
    raw = start + b"\r\n" + block + b"\r\n\r\n"
    parser = connections._Parser(Adjustments())
    parser.received(raw)
    told = re.findall(
        rb"(?im)^(?:content-length|transfer-encoding):", raw.partition(b"\r\n\r\n")[0]
    )
    assert len(told) <= 1 or parser.error


@pytest.mark.statement(20)
@given(
    data=st.data(),
    path=st.sampled_from(["/send-otp", "/health", "/webhooks/meta"]),
)
@settings(through_the_app, max_examples=40)
def test_a_damaged_request_gets_a_refusal_or_none(
    live_server: LiveServer, data: st.DataObject, path: str
) -> None:
    body = b'{"phone_number": "+919876543210"}'
    whole = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()
    whole += b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    place = data.draw(st.integers(0, len(whole)))
    gone = data.draw(st.integers(0, 20))
    damaged = whole[:place] + data.draw(st.binary(max_size=20)) + whole[place + gone :]
    heard = said(live_server, damaged, patience=0.1)
    for status in re.findall(rb"HTTP/1\.[01] ([0-9]{3}) ", heard):
        assert status.startswith((b"2", b"4"))
    assert b"HTTP/1.1 200 " in said(live_server, WELL, patience=20)


WELL = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
VISIBLE = st.text(alphabet=[chr(code) for code in range(33, 127)], min_size=1)
PIECES = ["http://", "//", "[", "]", ":", "/", "x", "..", "%00", "%2f", "?", "#", "@", "\\", "*"]
TARGETS = st.lists(st.sampled_from(PIECES)).map("".join) | VISIBLE | VISIBLE.map("/{}".format)
FIRST_LINES = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["GET", "POST", "CONNECT", "OPTIONS", "get", "G T", "", "\0"]) | VISIBLE,
    st.sampled_from([" ", " ", " ", "  ", "\t", ""]),
    TARGETS,
    st.sampled_from([" ", " ", " ", "\t", ""]),
    st.sampled_from(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "http/1.1", ""]),
).map(str.encode)
NAMES = [
    "Host",
    "Expect",
    "Connection",
    "Content-Type",
    "Authorization",
    "Range",
    "X-Any",
    "Accept",
]
FIELDS = st.builds(
    "{}{}{}".format,
    st.sampled_from([*NAMES, "Content_Length", "Idempotency-Key", "Prefer", "X-Request-ID"]),
    st.sampled_from([": ", ": ", ": ", ":", " : ", ":\t", ""]),
    st.sampled_from(["x", "[::1]:80", "[", "x, y", "close", "bytes=0-", "100-continue", "ü"])
    | st.text(max_size=30),
).map(lambda field: field.encode("utf-8", "surrogatepass"))


@pytest.mark.statement(28)
@given(FIRST_LINES, st.booleans(), st.lists(FIELDS, max_size=3), st.sampled_from([b"\r\n", b"\n"]))
@example(b"GET http://[/ HTTP/1.1", True, [], b"\r\n")
@example(b"GET //[ HTTP/1.1", True, [], b"\r\n")
@example(b"GET /health HTTP/1.1", True, [b"Expect: 100-continue"], b"\r\n")
@example(b"POST /send-otp HTTP/1.1", True, [b"Content-Length: " + b"9" * 5000], b"\r\n")
@settings(through_the_app, max_examples=300)
def test_whatever_the_head_of_a_request_is_it_gets_an_answer(
    live_server: LiveServer, first: bytes, host: bool, fields: list[bytes], end: bytes
) -> None:
    lines = [first, *([b"Host: x"] if host else []), *fields, b"", b""]
    assume(b"".join(lines))  # empty lines are no request yet
    heard = said(live_server, end.join(lines), patience=20)
    (status,) = re.findall(rb"\AHTTP/1\.[01] ([0-9]{3}) ", heard) or [heard]
    assert status.startswith((b"2", b"3", b"4")) or status == b"505", heard
    assert b"HTTP/1.1 200 " in said(live_server, WELL, patience=20)


CHUNK_PIECES = [b"2", b"{}", b"\r\n", b"\r\n", b"0", b"\n", b"\r", b";a=b", b" ", b"-", b"x", b"0x"]


@pytest.mark.statement(28)
@given(st.lists(st.sampled_from(CHUNK_PIECES)).map(b"".join), st.data())
@example(b"2\r\n{}\r\n0\r\n\r\n", None)
@settings(deadline=None, max_examples=500)
def test_chunks_are_read_in_one_way_however_they_arrive(raw: bytes, data: Any) -> None:
    chunks = framing.Chunks(OverflowableBuffer(100))
    at = 0
    while at < len(raw) and not (chunks.completed or chunks.error):
        size = data.draw(st.integers(1, len(raw) - at)) if data else 1
        taken = chunks.received(raw[at : at + size])
        assert taken == size or chunks.completed
        at += taken
    found = body_in(raw)
    assert chunks.completed == (found is not None)
    if found is not None:
        assert (chunks.getfile().read(), at) == found


def body_in(raw: bytes) -> tuple[bytes, int] | None:
    """A chunked body and where it ends, as the strictest reader of RFC 9112 finds it."""
    at, body, line = 0, b"", re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
    while found := line.match(raw, at):
        size = int(found[1], 16)
        body += raw[found.end() : found.end() + size]
        at = found.end() + size
        if raw[at : at + 2] != b"\r\n":
            return None
        at += 2
        if not size:
            return body, at
    return None


def said(server: LiveServer, raw: bytes, patience: float) -> bytes:
    """What comes back within so many seconds."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(raw)
        connection.settimeout(patience)
        try:
            return connection.recv(65536)
        except (TimeoutError, ConnectionError):
            return b""
