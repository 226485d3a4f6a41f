"""Events: what Standard Webhooks' own library signs is taken, and nothing else."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime, timezone

import pytest
import time_machine
from standardwebhooks import Webhook
from werkzeug.datastructures import EnvironHeaders

from otp_client import EventVerifier, InvalidEvent
from otp_service.events.body import body_of
from otp_service.events.signature import secret_of, sign
from tests.events.fakes import endpoint, event

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()
AT = datetime(2026, 11, 22, 17, 30, tzinfo=timezone.utc)
NOW = AT.timestamp()
PHONE = "+919876543210"
DATA = {
    "verification_id": "s0123456789abcdef0123456789abcdef",
    "phone_number": PHONE,
    "purpose": "login",
    "channel": "whatsapp",
    "status": "verified",
    "failure": None,
    "reason": None,
    "of_a_newer_server": {"is": "left out"},
}
BODY = json.dumps(
    {"type": "verification.verified", "timestamp": "2026-11-22T17:29:58.120Z", "data": DATA}
)


def signed(body: str = BODY, secret: str = SECRET, at: datetime = AT) -> dict[str, str]:
    """The headers, as their library signs them."""
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, body),
    }


def taken(headers: dict[str, str], body: str = BODY, *secrets: str, now: float = NOW) -> bool:
    try:
        EventVerifier(secrets or SECRET).verify(body.encode(), headers, now=now)
    except InvalidEvent:
        return False
    return True


def test_an_event_tells_what_happened() -> None:
    event = EventVerifier(SECRET).verify(BODY.encode(), signed(), now=NOW)
    assert (event.id, event.type) == ("msg_1", "verification.verified")
    assert event.timestamp == datetime(2026, 11, 22, 17, 29, 58, 120000, timezone.utc)
    assert event.data.verification_id == DATA["verification_id"]
    assert (event.data.phone_number, event.data.status) == (PHONE, "verified")
    assert (event.data.failure, event.data.message_id) == (None, None)
    assert PHONE not in repr(event)


def test_what_the_service_signs_is_an_event() -> None:
    made, ours = event(), endpoint(client=None)
    body, key = body_of(made, ours), secret_of(ours.key)
    headers = {
        "webhook-id": made.id,
        "webhook-timestamp": str(int(NOW)),
        "webhook-signature": sign(ours.key, made.id, int(NOW), body),
    }
    read = EventVerifier(key).verify(body, headers, now=NOW)
    assert (read.id, read.type) == (made.id, "verification.started")
    assert read.timestamp == made.at.replace(microsecond=123000)
    told = {name: getattr(read.data, name) for name in json.loads(body)["data"]}
    assert told == json.loads(body)["data"]


def test_what_it_takes_their_library_takes_too() -> None:
    with time_machine.travel(AT, tick=False):
        assert Webhook(SECRET).verify(BODY, signed())
        assert EventVerifier(SECRET).verify(BODY.encode(), signed())


def test_names_of_headers_are_read_in_any_spelling() -> None:
    environ = {f"HTTP_{name.upper().replace('-', '_')}": text for name, text in signed().items()}
    assert EventVerifier(SECRET).verify(BODY.encode(), EnvironHeaders(environ), now=NOW)
    assert taken({name.title(): text for name, text in signed().items()})


@pytest.mark.parametrize("secrets", [(SECRET, OTHER), (OTHER, SECRET), [OTHER, SECRET]])
def test_an_old_and_a_new_secret_hold_side_by_side(secrets: tuple[str, ...]) -> None:
    assert taken(signed(), BODY, *secrets)
    assert taken(signed(secret=OTHER), BODY, *secrets)


def with_signature(change: Callable[[str], str]) -> dict[str, str]:
    headers = signed()
    return headers | {"webhook-signature": change(headers["webhook-signature"])}


@pytest.mark.parametrize(
    "change",
    [
        lambda right: f"{signed(secret=OTHER)['webhook-signature']} {right}",
        lambda right: f"{right} v1,bm90IGl0",
        lambda right: f"v1a,{right[3:]} v2,x v1, v1,? {right}",
    ],
    ids=["after another", "before another", "among others"],
)
def test_one_right_signature_among_several_is_enough(change: Callable[[str], str]) -> None:
    assert taken(with_signature(change))


FORGERIES: dict[str, Callable[[], dict[str, str]]] = {
    "of another secret": lambda: signed(secret=OTHER),
    "of another body": lambda: signed(body=BODY.replace("verified", "failed")),
    "of another id": lambda: signed() | {"webhook-id": "msg_2"},
    "of another time": lambda: signed() | {"webhook-timestamp": str(int(NOW) - 1)},
    "of another version": lambda: with_signature(lambda right: f"v1a{right[2:]}"),
    "shortened": lambda: with_signature(lambda right: right[:-4]),
    "empty": lambda: with_signature(lambda right: "v1,"),
    "without a version": lambda: with_signature(lambda right: right[3:]),
    "no base64": lambda: with_signature(lambda right: "v1,ключ"),
    "without an id": lambda: {n: text for n, text in signed().items() if n != "webhook-id"},
    "without a signature": lambda: signed() | {"webhook-signature": ""},
    "without a time": lambda: signed() | {"webhook-timestamp": ""},
    "at no time": lambda: signed() | {"webhook-timestamp": "now"},
    "in digits of another script": lambda: signed() | {"webhook-timestamp": "١٧٩٥٣٦٨٦٠٠"},
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_no_forgery_is_taken(forge: Callable[[], dict[str, str]]) -> None:
    assert taken(signed())
    assert not taken(forge())


@pytest.mark.parametrize(
    ("late", "is_taken"), [(300, True), (301, False), (-300, True), (-301, False)]
)
def test_an_event_is_taken_for_five_minutes(late: int, is_taken: bool) -> None:
    assert taken(signed(), now=NOW + late) is is_taken


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{}", '{"type": "x", "timestamp": "2026-11-22T17:30:00Z", "data": []}', "[" * 9999],
)
def test_what_is_signed_and_no_event_is_refused(body: str) -> None:
    with pytest.raises(InvalidEvent, match="no event"):
        EventVerifier(SECRET).verify(body.encode(), signed(body), now=NOW)


@pytest.mark.parametrize("secrets", ["", "whsec_", "whsec_!", [], [SECRET, "whsec_"]])
def test_a_secret_that_can_be_none_is_refused_at_once(secrets: str | list[str]) -> None:
    with pytest.raises(ValueError, match="secret") as caught:
        EventVerifier(secrets)
    assert SECRET not in str(caught.value)
