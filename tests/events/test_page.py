"""What docs/events.md shows to developers who receive events is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from otp_service.domain.events import EventType
from otp_service.events.poster import DEADLINE, Poster
from otp_service.events.schedule import WAITS
from otp_service.events.telling import AT_ONCE
from tests.events.fakes import endpoint, event

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
RECEIVER, BY_HAND = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
HEAD, BODY = re.findall(r"```http\n(.*?)\n\n(.*?)\n```", PAGE, re.DOTALL)[0]
HEADERS = dict(re.findall(r"(?m)^(webhook-[a-z]+): (.*)$", HEAD))
(SECRET,) = re.findall(r"with the secret `(whsec_[^`]+)`", PAGE)
AT = float(HEADERS["webhook-timestamp"])


def run(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": __name__}
    exec(compile(source, "docs/events.md", "exec"), names)
    return names


def test_checking_by_hand_takes_the_event_that_is_shown_and_no_other() -> None:
    is_ours = run(BY_HAND)["is_ours"]
    body = BODY.encode()
    assert is_ours(SECRET, HEADERS, body, now=AT)
    assert is_ours(
        SECRET,
        HEADERS | {"webhook-signature": f"v1,x {HEADERS['webhook-signature']}"},
        body,
        now=AT,
    )
    assert not is_ours(SECRET, HEADERS, body + b" ", now=AT)
    assert not is_ours(SECRET, HEADERS, body, now=AT + 301)
    assert not is_ours(SECRET, HEADERS | {"webhook-id": "evt_1"}, body, now=AT)


def test_the_receiver_takes_what_is_posted_once_and_nothing_unsigned(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    client = run(RECEIVER)["app"].test_client()
    request = Poster()._request(endpoint(), event())
    for _ in range(2):
        assert (
            client.post("/otp-events", data=request.data, headers=request.headers).status_code
            == 204
        )
    assert client.post("/otp-events", data=b"{}", headers=request.headers).status_code == 401
    assert capsys.readouterr().out == "verification.started pending\n"


def test_it_names_every_type_and_no_other() -> None:
    rows = re.findall(r"(?m)^\| `((?:verification|message)\.\w+)` \|", PAGE)
    assert rows == [each.value for each in EventType]


def test_its_figures_are_those_of_the_code() -> None:
    assert f"within {DEADLINE:.0f} seconds" in PAGE
    assert AT_ONCE == 8
    assert "Eight events at" in PAGE
    assert [wait / 3_600 for wait in WAITS[3:]] == [2, 5, 10, 14, 20, 24]
    assert "2, 5, 10, 14, 20 and 24 hours" in PAGE
