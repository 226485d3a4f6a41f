"""The sender against a server that misbehaves: real sockets, nothing patched but name lookup."""

from __future__ import annotations

import logging
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from otp_service.delivery import http_connection
from otp_service.delivery import sender as calls
from otp_service.delivery.providers import gupshup
from otp_service.delivery.providers.gupshup import Gupshup
from otp_service.delivery.providers.gupshup_settings import GupshupSettings
from otp_service.delivery.sender import HttpSender
from otp_service.domain.errors import (
    DeliveryError,
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
)
from otp_service.domain.messages import Message
from tests.delivery.misbehaving import (
    ACCEPTED,
    Turn,
    closed_port_url,
    drip,
    http,
    say,
    say_and_hang_up,
    serve,
    stall,
)

KEY = "canary-key-zxywvut98765"
CODE = "730194"
PHONE = "+919876543210"
MESSAGE = Message(PHONE, CODE, expires_in=300)
ID = "ee4a68a0-1203"
DEADLINE = 0.8  # seconds, where a test has to wait for it
PROMPT = 4.0  # seconds: far from DEADLINE, and far from what a drip would take


def sender_for(url: str, deadline: float = 8.0) -> HttpSender:
    settings = GupshupSettings(KEY, "917834811114", "tpl", "MyOtpApp", url)
    return HttpSender(Gupshup(settings), deadline=deadline)


def refusal(sender: HttpSender) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        sender.send(MESSAGE)
    return caught.value


def refusal_of(turn: Turn, deadline: float = 8.0) -> DeliveryError:
    with serve(turn) as server:
        error = refusal(sender_for(server.url, deadline))
        assert len(server.requests) == 1, "sent more than once"
    return error


@pytest.fixture
def prompt() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < PROMPT


# --- nothing was sent ---


def test_a_refused_connection_took_nothing() -> None:
    error = refusal(sender_for(closed_port_url()))
    assert type(error) is DeliveryUnavailable
    assert (error.reason, error.retry_after) == ("no connection: ConnectionRefusedError", 5)


def test_an_unknown_host_took_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert type(refusal(sender_for("http://gupshup.invalid/"))) is DeliveryUnavailable


@pytest.mark.usefixtures("prompt")
def test_a_silent_name_server_does_not_hold_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def silent(*_: Any, **__: Any) -> list[Any]:
        over.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    try:
        assert type(refusal(sender_for("http://gupshup.invalid/", DEADLINE))) is DeliveryUnavailable
    finally:
        over.set()


@pytest.mark.usefixtures("prompt")
def test_many_silent_addresses_do_not_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(address: Any, timeout: float, **_: Any) -> socket.socket:
        time.sleep(timeout)
        raise TimeoutError

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 9))] * 100
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(http_connection, "create_connection", silent)
    assert type(refusal(sender_for("http://gupshup.invalid/", DEADLINE))) is DeliveryUnavailable


def test_the_next_address_is_tried_when_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(say(http())) as server:
        port = int(server.url.split(":")[2].split("/")[0])
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        found = [(*kind, ("127.0.0.2", port)), (*kind, ("127.0.0.1", port))]
        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *a, **k: found if host == "gupshup.invalid" else real(host, *a, **k),
        )
        assert sender_for(f"http://gupshup.invalid:{port}/").send(MESSAGE) == ID


def test_a_server_without_tls_took_nothing() -> None:
    with serve(say(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        error = refusal(sender_for(server.url.replace("http:", "https:")))
        assert type(error) is DeliveryUnavailable
        assert CODE.encode() not in b"".join(server.requests)


@pytest.mark.usefixtures("prompt")
@pytest.mark.parametrize("turn", [stall, drip(b"\x16\x03\x03\x40\x00", b"\x02" * 400)])
def test_an_endless_tls_handshake_took_nothing(turn: Turn) -> None:
    with serve(turn) as server:
        error = refusal(sender_for(server.url.replace("http:", "https:"), DEADLINE))
    assert type(error) is DeliveryUnavailable


# --- it may have been sent ---


@pytest.mark.statement(17)
@pytest.mark.usefixtures("prompt")
@pytest.mark.parametrize(
    "turn",
    [
        pytest.param(stall, id="stalls"),
        pytest.param(drip(b"", http()[:15] + b"0" * 400), id="drips the status line"),
        pytest.param(drip(b"HTTP/1.1 202 OK\r\n", b"X-A: b\r\n" * 60), id="drips headers"),
        pytest.param(drip(b"", b"HTTP/1.1 100 Go on\r\n\r\n" * 20), id="drips interim answers"),
        pytest.param(drip(http(b" " * 400)[:-400], b" " * 400), id="drips the body"),
        pytest.param(
            drip(b"HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 60),
            id="drips chunks",
        ),
    ],
)
def test_the_whole_call_ends_by_its_deadline_and_the_code_stays(turn: Turn) -> None:
    assert type(refusal_of(turn, DEADLINE)) is DeliveryUnconfirmed


@pytest.mark.parametrize(
    "turn",
    [
        pytest.param(say_and_hang_up(b""), id="hangs up"),
        pytest.param(say_and_hang_up(http()[:20]), id="hangs up in the headers"),
        pytest.param(say_and_hang_up(http()[:-5]), id="hangs up in the body"),
        pytest.param(say_and_hang_up(b"\x00\xff garbage\r\n\r\n" * 9), id="garbage"),
        pytest.param(
            say_and_hang_up(b"HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            id="garbage chunks",
        ),
        pytest.param(say(http(b"gar", Content_Encoding="gzip")), id="garbage gzip"),
        pytest.param(say(http(b"<html>ok</html>", "200 OK")), id="HTML"),
        pytest.param(say(http(b'{"status":"submitted"}')), id="no id"),
        pytest.param(say(http(b" " * 70_000 + ACCEPTED)), id="too big"),
        pytest.param(say(http(b"", "504 Gateway Timeout")), id="a gateway waited in vain"),
    ],
)
def test_after_the_request_a_bad_answer_means_that_it_may_arrive(turn: Turn) -> None:
    assert type(refusal_of(turn)) is DeliveryUnconfirmed


@pytest.mark.statement(17)
def test_an_endless_answer_is_not_read_to_its_end() -> None:
    with serve(drip(b"HTTP/1.1 202 OK\r\n\r\n" + b" " * 5_000_000, b"" * 9)) as server:
        started = time.monotonic()
        assert type(refusal(sender_for(server.url))) is DeliveryUnconfirmed
        assert time.monotonic() - started < PROMPT


# --- it was answered ---


def test_an_answer_called_html_is_read_all_the_same() -> None:
    with serve(say(http(Content_Type="text/html"))) as server:
        assert sender_for(server.url).send(MESSAGE) == ID


def test_an_error_in_a_200_is_an_error() -> None:
    turn = say(http(b'{"status":"error","code":"1002","message":"Not on WhatsApp"}', "200 OK"))
    error = refusal_of(turn)
    assert (type(error), error.reason) == (DeliveryFailed, "1002: Not on WhatsApp")


def test_too_many_requests_tells_when_to_come_back() -> None:
    error = refusal_of(say(http(b"{}", "429 Too Many Requests", Retry_After="17")))
    assert (type(error), error.retry_after) == (DeliveryUnavailable, 17)


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad Gateway", "503 Busy"])
def test_a_server_error_is_not_tried_again_by_the_library(status: str) -> None:
    error = refusal_of(say(http(b"<html>", status, Retry_After="1")))
    assert type(error) is DeliveryUnavailable


@pytest.mark.statement(17)
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_code_and_key_follow_no_redirect(status: str) -> None:
    with serve(say(http())) as elsewhere:
        error = refusal_of(say(http(b"", status, Location=elsewhere.url)))
        assert type(error) is DeliveryFailed
        assert elsewhere.connections == 0


@pytest.mark.statement(17)
@pytest.mark.parametrize("location", ["http://[", "//", "\xff", "http://127.0.0.1:99999/"])
def test_a_redirect_to_nonsense_is_just_a_redirect(location: str) -> None:
    assert type(refusal_of(say(http(b"", "307 X", Location=location)))) is DeliveryFailed


@pytest.mark.statement(17)
def test_a_redirect_s_body_is_not_read_to_its_end() -> None:
    head = b"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:1/\r\n\r\n"
    read = []

    def flood(sock: socket.socket, over: threading.Event) -> None:
        sock.sendall(head)
        while not over.is_set():
            read.append(sock.send(b" " * 65_536))

    assert type(refusal_of(flood)) is DeliveryFailed
    assert sum(read) < 20_000_000  # what the kernels' buffers take, not what 8 s would


def test_neither_proxies_nor_netrc_nor_cookies_are_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login spy password spy")
    monkeypatch.setenv("NETRC", str(netrc))
    with serve(say(http())) as proxy, serve(say(http(Set_Cookie="a=b; Path=/"))) as server:
        for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        sender = sender_for(server.url)
        assert [sender.send(MESSAGE), sender.send(MESSAGE)] == [ID, ID]
        assert proxy.connections == 0
        sent = b"".join(server.requests).lower()
        assert b"authorization" not in sent
        assert b"cookie" not in sent


# --- connections ---


def test_two_sends_of_a_thread_share_a_connection() -> None:
    with serve(say(http())) as server:
        sender = sender_for(server.url)
        assert [sender.send(MESSAGE), sender.send(MESSAGE)] == [ID, ID]
        assert (len(server.requests), server.connections) == (2, 1)


def test_a_refusal_leaves_the_connection_usable() -> None:
    with serve(say(http(b"{}", "400 No")), say(http())) as server:
        sender = sender_for(server.url)
        refusal(sender)
        assert sender.send(MESSAGE) == ID
        assert server.connections == 1


def test_threads_do_not_share_a_connection() -> None:
    with serve(say(http())) as server:
        sender = sender_for(server.url)
        for _ in range(3):  # one after the other: a shared connection would be free again
            thread = threading.Thread(target=sender.send, args=[MESSAGE])
            thread.start()
            thread.join()
        assert server.connections == 3


def test_a_connection_closed_while_idle_is_replaced_and_the_message_sent_once() -> None:
    with serve(say_and_hang_up(http()), say(http())) as server:
        sender = sender_for(server.url)
        sender.send(MESSAGE)
        time.sleep(0.1)  # until the server's goodbye has arrived
        assert sender.send(MESSAGE) == ID
        assert (len(server.requests), server.connections) == (2, 2)


def test_a_kept_connection_that_dies_under_a_send_is_not_tried_again() -> None:
    with serve(say(http()), say_and_hang_up(b""), say(http())) as server:
        sender = sender_for(server.url)
        sender.send(MESSAGE)
        assert type(refusal(sender)) is DeliveryUnconfirmed
        assert len(server.requests) == 2


def test_a_connection_idle_for_long_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(say(http())) as server:
        sender = sender_for(server.url)
        sender.send(MESSAGE)
        monkeypatch.setattr(http_connection, "IDLE", 0.0)
        sender.send(MESSAGE)
        assert (len(server.requests), server.connections) == (2, 2)


@pytest.mark.parametrize("stray", [http(b'{"messageId":"stray"}'), b"HTTP/1.1 202 OK\r\n"])
def test_what_follows_an_answer_is_not_taken_for_the_next_one(stray: bytes) -> None:
    with serve(say(http() + stray), say(http(b'{"messageId":"second"}'))) as server:
        sender = sender_for(server.url)
        assert [sender.send(MESSAGE), sender.send(MESSAGE)] == [ID, "second"]


@pytest.mark.parametrize(
    "turn", [drip(http(b" " * 400)[:-400], b" " * 400), say(http(b" " * 500_000))]
)
def test_an_answer_not_read_to_its_end_ends_its_connection(turn: Turn) -> None:
    with serve(turn, say(http())) as server:
        sender = sender_for(server.url, DEADLINE)
        refusal(sender)
        assert sender.send(MESSAGE) == ID
        assert server.connections == 2


# --- what is told ---

ECHO = f"{CODE} {KEY} {PHONE[1:]}".encode()
LEAKY: dict[str, Turn] = {
    "success": say(http()),
    "error": say(http(b'{"status":"error","message":"' + ECHO + b'"}', "400 No")),
    "error without words": say(http(b'{"echo":"' + ECHO + b'"}', "500 " + ECHO.decode())),
    "HTML": say(http(ECHO)),
    "no id": say(http(b'{"echo":"' + ECHO + b'"}')),
    "hang up": say_and_hang_up(b""),
    "hang up in the body": say_and_hang_up(http(ECHO)[:-1]),
    "stall": stall,
    "status line": say_and_hang_up(ECHO + b"\r\n\r\n"),
    "broken headers": say_and_hang_up(b"HTTP/1.1 202 OK\r\n" + ECHO + b"\r\nX: y\r\n\r\n"),
    "chunks": say_and_hang_up(b"HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + ECHO),
    "redirect": say(http(b"", "307 X", Location="http://127.0.0.1:1/" + ECHO.decode())),
}


@pytest.mark.parametrize("name", LEAKY)
def test_code_key_and_phone_are_in_no_log_and_no_error(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told, locals_too = "", ""
    with serve(LEAKY[name]) as server:
        try:
            sender_for(server.url, DEADLINE).send(MESSAGE)
        except DeliveryError as error:
            told = "".join([str(error), repr(error), repr(vars(error))])
            locals_too = traceback_of(error)
    assert "127.0.0.1" in caplog.text, "urllib3's debug log is off"
    for canary in (CODE, KEY):
        assert canary not in caplog.text + told + locals_too
    assert PHONE[1:] not in caplog.text + told


def traceback_of(error: DeliveryError) -> str:
    """What a log handler writes that prints the locals of each of the sender's frames."""
    assert error.__cause__ is None
    assert error.__context__ is None
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    report.stack[:] = [
        frame
        for frame in report.stack
        if frame.filename in (calls.__file__, gupshup.__file__, http_connection.__file__)
    ]
    assert len(report.stack) > 0
    return "".join(report.format())
