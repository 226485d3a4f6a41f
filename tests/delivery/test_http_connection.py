"""Connections: real sockets, nothing patched but name lookup."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest

from otp_service.delivery import http_connection
from otp_service.domain.errors import (
    DeliveryUnavailable,
    DeliveryUnconfirmed,
)
from tests.delivery.misbehaving import (
    Turn,
    closed_port_url,
    drip,
    http,
    say,
    say_and_hang_up,
    serve,
    stall,
)
from tests.delivery.over_http import (
    CODE,
    DEADLINE,
    ID,
    MESSAGE,
    refusal,
    sender_for,
)


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
    gone = threading.Event()

    def answer_and_go(sock: socket.socket, over: threading.Event) -> None:
        say_and_hang_up(http())(sock, over)
        gone.set()

    with serve(answer_and_go, say(http())) as server:
        sender = sender_for(server.url)
        sender.send(MESSAGE)
        assert gone.wait(20)
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
