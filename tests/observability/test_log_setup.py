"""What a log line looks like, what is taken out of it, and that nobody can forge one."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from otp_service.observability import log_setup
from otp_service.observability.log_format import Handler
from otp_service.observability.log_redaction import Safe
from otp_service.settings import Settings
from tests.conftest import MakeApp

OURS = logging.getLogger("otp_service.test")
LIBRARY = logging.getLogger("urllib3.test")
PHONE, MASKED = "+919876531026", "+91••••1026"
UNSEEN = "\n\r\t\x00\x07\x08\x1b\x7f\x85\x9b\u2028\u2029\u200b\u202e\u2066\ufeff"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Log:
    """What was written since `configure`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._stream = io.StringIO()

    def configure(self, *args: Any, terminal: bool = False) -> None:
        self._stream = Terminal() if terminal else io.StringIO()
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", self._stream)
            log_setup.configure(*args)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """JSON from debug on; afterwards logging is as it was."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    root, ours = logging.getLogger(), logging.getLogger("otp_service")
    levels = (root.level, ours.level)
    made = Log(monkeypatch)
    made.configure("debug", "json")
    yield made
    root.handlers = [each for each in root.handlers if not isinstance(each, Handler)]
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_a_line_is_one_json_object_with_its_fields_in_their_order(log: Log) -> None:
    OURS.info("sent to %s", "somebody", extra={"provider": "gupshup", "ms": 1.5})
    (line,) = log.lines
    assert list(line) == ["timestamp", "level", "logger", "event", "provider", "ms"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("timestamp"))
    assert line == {
        "level": "info",
        "logger": "otp_service.test",
        "event": "sent to somebody",
        "provider": "gupshup",
        "ms": 1.5,
    }


def test_structlog_and_the_standard_library_come_out_the_same(log: Log) -> None:
    OURS.warning("sent", extra={"provider": "gupshup"})
    structlog.get_logger("otp_service.test").warning("sent", provider="gupshup")
    one, other = (line | {"timestamp": ""} for line in log.lines)
    assert list(one.items()) == list(other.items())


def test_another_handler_adds_no_fields(log: Log) -> None:
    other = logging.StreamHandler(io.StringIO())
    other.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logging.getLogger().handlers.insert(0, other)
    OURS.warning("sent")
    logging.getLogger().removeHandler(other)
    assert list(log.lines[0]) == ["timestamp", "level", "logger", "event"]


@pytest.mark.parametrize(
    ("style", "terminal", "json_expected"),
    [
        ("auto", False, True),
        ("auto", True, False),
        ("json", True, True),
        ("console", False, False),
    ],
)
def test_the_format_fits_where_the_log_goes(
    log: Log, style: str, terminal: bool, json_expected: bool
) -> None:
    log.configure("info", style, terminal=terminal)
    OURS.info("sent", extra={"provider": "gupshup"})
    assert log.text.startswith("{") is json_expected
    assert ("\x1b[" in log.text) is (terminal and not json_expected)  # colours
    if not terminal and not json_expected:
        assert re.search(r"^\S+Z \[info +\] sent +\[otp_service.test\] provider=gupshup$", log.text)


@pytest.mark.parametrize(("level", "told"), [("debug", 4), ("info", 3), ("error", 1)])
def test_log_level_is_for_our_own_lines(log: Log, level: str, told: int) -> None:
    log.configure(level, "json")
    for each in ("debug", "info", "warning", "error"):
        getattr(OURS, each)(each)
    assert len(log.lines) == told


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


@pytest.mark.statement(13)
def test_every_secret_of_the_settings_is_known(log: Log, tmp_path: Path) -> None:
    secrets = {
        "OTP_SECRET": f"{bytes(range(32)).hex()},{bytes(range(32, 64)).hex()}",
        "GUPSHUP_API_KEY": "a-gupshup-key-1",
        "GUPSHUP_WEBHOOK_SECRET": "a-webhook-secret-2",
        "GUPSHUP_SMS_PASSWORD": "an sms/password-3",
        "META_ACCESS_TOKEN": "a-meta-key-4",
        "META_APP_SECRET": "a-meta-secret-5",
        "META_VERIFY_TOKEN": "a-meta-word-6",
    }
    rest = {
        "DATABASE_URL": "postgresql://otp:a-database%2Fpassword-7@127.0.0.1/otp",
        "GUPSHUP_SOURCE": "917834811114",
        "GUPSHUP_TEMPLATE_ID": "t",
        "GUPSHUP_SRC_NAME": "DemoApp",
        "GUPSHUP_SMS_USERID": "2000000001",
        "META_PHONE_NUMBER_ID": "158072934066266",
        "META_TEMPLATE": "t",
        "LOG_LEVEL": "debug",
        "LOG_FORMAT": "json",
    }
    known = Settings.from_env(secrets | rest, tmp_path)
    stream = io.StringIO()
    log_setup.follow(known)
    (handler,) = [each for each in logging.getLogger().handlers if isinstance(each, Handler)]
    handler.setStream(stream)
    spellings = ["an%20sms%2Fpassword-3", "a-database/password-7", "a-database%2Fpassword-7"]
    for secret in [*secrets.values(), *spellings, rest["DATABASE_URL"]]:
        OURS.debug("it is %s.", secret)
    lines = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert set(lines[1:-1]) == {"it is ••••."}
    assert lines[0] == "it is ••••,••••."
    assert "password-7" not in lines[-1]


def _fail() -> None:
    try:
        raise KeyError(f"{PHONE} 123456")
    except KeyError:
        raise ValueError("the code is 123456") from None


def _fail_after_another() -> None:
    try:
        _fail()
    except ValueError as error:
        raise RuntimeError("123456") from error


@pytest.mark.statement(13)
@pytest.mark.parametrize("style", ["json", "console"])
def test_of_an_exception_the_types_and_places_are_told_and_not_the_text(
    log: Log, style: str
) -> None:
    log.configure("debug", style)
    for logger in (OURS, LIBRARY, structlog.get_logger("otp_service.test")):
        try:
            _fail_after_another()
        except RuntimeError as error:
            logger.exception("it failed", stack_info=True)
            OURS.error("it failed", extra={"cause": error})
    assert "123456" not in log.text
    assert "code" not in log.text
    assert len(log.text.splitlines()) == 6
    assert log.text.count("RuntimeError from ValueError") == 3
    assert log.text.count("observability/test_log_setup.py:") == 6
    assert log.text.count("_fail_after_another") == 3


@pytest.mark.statement(13)
def test_what_nobody_catches_is_told_the_same_way(log: Log) -> None:
    thread = threading.Thread(target=_fail, name="worker")
    thread.start()
    thread.join()
    try:
        _fail()
    except ValueError:
        sys.excepthook(*sys.exc_info())
    in_thread, in_main = log.lines
    assert in_thread["in_thread"] == "worker"
    for line in (in_thread, in_main):
        assert (line["level"], line["error"]) == ("critical", "ValueError")
        assert line["places"][-1].startswith("observability/test_log_setup.py:")
    assert "123456" not in log.text


@pytest.mark.statement(13)
def test_a_line_that_cant_be_made_tells_no_arguments(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    alone = [each for each in root.handlers if isinstance(each, Handler)]
    monkeypatch.setattr(root, "handlers", alone)  # pytest's own would raise it
    OURS.info("%d", "123456")
    OURS.info("next")
    broken, following = log.lines
    assert broken["event"] == "a log line could not be written"
    assert following["event"] == "next"
    assert "123456" not in log.text


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
    made = Safe().text(text)
    assert not {unicodedata.category(each) for each in made} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_every_line_of_a_request_has_its_id_and_no_other_line(log: Log, app: Flask) -> None:
    view = app.view_functions["ops.health"]

    def chatty() -> Any:
        OURS.info("in the view")
        return view()

    app.view_functions["ops.health"] = chatty
    for request_id in ("one", "two"):
        app.test_client().get("/health", headers={"X-Request-ID": request_id})
        OURS.info("between")
    told = [(line["event"], line.get("request_id")) for line in log.lines]
    assert told == [
        ("in the view", "one"),
        ("request", "one"),
        ("between", None),
        ("in the view", "two"),
        ("request", "two"),
        ("between", None),
    ]


def test_the_request_line_is_for_programs(log: Log, make_app: MakeApp) -> None:
    client = make_app().test_client()
    body = {"phone_number": PHONE, "otp": "123456"}
    answer = client.post("/verify-otp", json=body)
    (line,) = log.lines
    assert list(line)[:5] == ["timestamp", "level", "logger", "event", "request_id"]
    assert line.pop("ms") > 0
    assert line.pop("timestamp")
    assert line == {
        "level": "info",
        "logger": "otp_service.web.request_log",
        "event": "request",
        "request_id": answer.headers["X-Request-ID"],
        "method": "POST",
        "route": "/verify-otp",
        "status": 200,
        "refusal": "otp_not_found",
        "client": "public",
    }


def test_nobody_is_named_where_the_key_is_unknown(log: Log, make_app: MakeApp) -> None:
    make_app(API_KEYS="required").test_client().get("/debug/whatsapp")
    (line,) = (line for line in log.lines if line["event"] == "request")
    assert (line["status"], line.get("client")) == (401, None)


def test_polled_routes_are_for_debugging(log: Log, client: FlaskClient) -> None:
    client.get("/health")
    assert [line["level"] for line in log.lines] == ["debug"]


@pytest.mark.statement(13, 14)
def test_the_request_line_has_nothing_that_the_caller_made_up(
    log: Log, client: FlaskClient
) -> None:
    client.open("/verifications/123456?code=123456", method="123456")
    client.get(f"/{PHONE}/123456", headers={"X-Request-ID": PHONE[1:]})
    assert [line["route"] for line in log.lines] == ["(none)"] * 2
    assert [line["method"] for line in log.lines] == ["OTHER", "GET"]
    assert log.lines[1]["request_id"] == MASKED
    assert "123456" not in re.sub('"(timestamp|request_id)": "[^"]*"', "", log.text)
