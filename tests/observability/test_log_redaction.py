"""What is taken out of a log line, and that nobody can forge one."""

from __future__ import annotations

import logging
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otp_service.observability.log_redaction import Redaction
from tests.observability.logs import LIBRARY, MASKED, OURS, PHONE, Log

UNSEEN = "\n\r\t\x00\x07\x08\x1b\x7f\x85\x9b\u2028\u2029\u200b\u202e\u2066\ufeff"


@pytest.mark.statement(13)
def test_libraries_say_nothing_below_a_warning_and_then_no_more_than_words(log: Log) -> None:
    LIBRARY.setLevel(logging.DEBUG)
    try:
        LIBRARY.info("GET /verifications/123456")
        LIBRARY.warning("Exception while serving %s", "/send/123456", extra={"body": "123456"})
        LIBRARY.warning("Queue depth is %d of %s: x=y 123456 'abc1'", 5, "[otp]")
    finally:
        LIBRARY.setLevel(logging.NOTSET)
    assert [line["event"] for line in log.lines] == [
        "Exception while serving …",
        "Queue depth is 5 of … … … …",
    ]
    assert "123456" not in log.text


@pytest.mark.statement(13)
@pytest.mark.parametrize(
    "text",
    [
        PHONE,
        PHONE[1:],
        "+91 98765 31026",
        "+91-98765-31026",
        "+91 (98765) 31026",
        "+91.98765.31026",
        f"x{PHONE[1:]}y",
        f"/path/{PHONE}?n={PHONE[1:]}",
        "+٩١٩٨٧٦٥٣١٠٢٦",
    ],
)
def test_a_phone_is_masked_however_it_is_written(log: Log, text: str) -> None:
    OURS.info("for %s", text, extra={"one": text, "deep": [{text: (text,)}]})
    assert "98765" not in log.text
    assert "٩٨٧٦٥" not in log.text
    assert log.text.count("••••") in (4, 8)  # each of the four texts has one or two


@pytest.mark.statement(13)
def test_a_phone_as_a_number_is_masked_too(log: Log) -> None:
    OURS.info("for", extra={"whole": 919876531026, "float": 919876531026.0})
    assert log.lines[0]["whole"] == MASKED
    assert "98765" not in log.text


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T02:57:48.475Z",
        "p" + "0123456789abcdef" * 2,
        "12345678901234567890abcdefabcdef",
        "12345678-1234-1234-1234-123456789012",
        12.123456789012,
        200,
        True,
        None,
        "python3.11/threading.py:1045",
        "SQLSTATE 08006",
    ],
)
def test_times_ids_durations_and_counts_stay_as_they_are(log: Log, value: object) -> None:
    OURS.info("it", extra={"value": value})
    assert log.lines[0]["value"] == value


@pytest.mark.statement(13)
def test_a_secret_is_hidden_wherever_it_stands(log: Log) -> None:
    key = "k3y/of the-provider"
    log.configure("debug", "json", [key, "postgres", ""])
    text = f"https://x.test/?apikey={key}"
    OURS.warning(text, extra={key: text, "deep": {"list": [text, {key}, key.encode()]}})
    OURS.warning("the postgresql database refused the password postgres of otp_postgres_1")
    assert "k3y" not in log.text
    assert log.lines[0]["event"] == "https://x.test/?apikey=••••"
    assert log.lines[1]["event"].endswith("the password •••• of otp_postgres_1")
    assert "postgresql" in log.text


@pytest.mark.statement(13)
def test_an_api_key_is_hidden_though_nobody_knows_it(log: Log) -> None:
    OURS.warning("for %s", f"otp_{'aB3-_' * 8}xyz")
    assert log.lines[0]["event"] == "for ••••"


@pytest.mark.statement(14)
@pytest.mark.parametrize("style", ["json", "console"])
@pytest.mark.parametrize("unseen", UNSEEN, ids=lambda each: f"U+{ord(each):04X}")
def test_what_moves_a_cursor_or_begins_a_line_comes_out_escaped(
    log: Log, style: str, unseen: str
) -> None:
    log.configure("debug", style)
    text = f'one{unseen}{{"event": "forged"}}'
    OURS.info(text, extra={"value": text, "deep": {text: [text]}})
    LIBRARY.warning(text)
    assert len(log.text.splitlines()) == 2
    assert unseen not in log.text.replace("\n", "")  # less the two lines' own ends
    assert ascii(unseen)[1:-1] in log.text


@pytest.mark.statement(14)
@settings(max_examples=200)
@given(st.text())
def test_any_text_is_printable_afterwards(text: str) -> None:
    made = Redaction().text(text)
    assert not {unicodedata.category(each) for each in made} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
