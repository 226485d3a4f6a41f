"""Keys and codes stay where they belong."""

from __future__ import annotations

import logging
import os
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

import otp_client
from otp_client import NoAnswer, OtpClient, OtpClientError, PhoneLocked, UnexpectedAnswer
from otp_client.proofs import ProofVerifier
from tests.clients.python.service import SENT, Clock, header, refuses, says, url_of
from tests.delivery.misbehaving import closed_port_url, http, say, serve

KEY, CODE, PHONE = "canary-key-93a1", "739154", "+919876512345"
PACKAGE = str(Path(otp_client.__file__).parent)
ECHO = {"phone_number": PHONE, "otp": CODE}


def shown(error: BaseException) -> str:
    """All that a program can print of an error: its frames with their values, too, but the test's
    own, and the errors that it came of.
    """
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    told.stack[:] = [each for each in told.stack if each.filename.startswith(PACKAGE)]
    assert told.stack
    return "".join(told.format()) + repr(error) + repr(error.args)


FAILURES: dict[str, Callable[[OtpClient], object]] = {
    "send": lambda client: client.send(PHONE),
    "verify": lambda client: client.verify(PHONE, CODE),
    "deliver": lambda client: client.deliver(PHONE, otp=CODE),
    "deliver a text": lambda client: client.deliver(PHONE, text=f"Your code is {CODE}"),
}
ANSWERS = {
    "refused": refuses("400 Bad Request", "invalid_request", ECHO),
    "unknown": http(b"<h1>who are you</h1>", "502 Bad Gateway"),
    "unreadable": says(data=ECHO),
}


@pytest.mark.parametrize("answer", [*ANSWERS, "none"])
@pytest.mark.parametrize("call", FAILURES)
def test_no_error_shows_a_key_a_code_or_a_phone(
    call: str, answer: str, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(say(ANSWERS.get(answer, b""))) as server:
        url = url_of(server) if answer in ANSWERS else closed_port_url()
        client = clock.client(url, KEY)
        with pytest.raises(OtpClientError) as caught:
            FAILURES[call](client)
    text = shown(caught.value) + repr(client) + caplog.text
    assert [canary for canary in (KEY, CODE, PHONE) if canary in text] == []
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_answers_show_no_code_proof_or_phone(clock: Clock) -> None:
    proved = {"verified_at": "2026-11-22T17:30:49.125Z", "proof": "eyJcanary"}
    with serve(say(says(data=SENT | ECHO | proved))) as server:
        client = clock.client(url_of(server))
        sent, verified = client.send(PHONE), client.verify(PHONE, CODE)
    assert (sent.otp, verified.proof, sent.phone_number) == (CODE, "eyJcanary", PHONE)
    text = repr(sent) + repr(verified)
    assert [canary for canary in (CODE, PHONE, "eyJcanary") if canary in text] == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(status: int, clock: Clock) -> None:
    with serve(say(says())) as elsewhere:
        there = http(b"", f"{status} Moved", Location=url_of(elsewhere))
        with serve(say(there)) as server, pytest.raises(UnexpectedAnswer) as caught:
            clock.client(url_of(server), KEY).verify(PHONE, CODE)
        assert elsewhere.connections == 0
    assert caught.value.status == status


@pytest.mark.parametrize("key", [None, KEY])
def test_a_password_of_the_netrc_file_is_not_sent(
    key: str | None, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serve(say(says())) as server:
        clock.client(url_of(server), key).send(PHONE)
    assert header(server.requests[0], "Authorization") == (key and f"Bearer {key}")


@pytest.mark.parametrize("key", ["two\nlines", "a blank", "ключ"])
def test_a_key_that_can_be_none_is_refused_at_once_and_not_shown(key: str) -> None:
    with pytest.raises(ValueError, match="api_key") as caught:
        OtpClient("https://otp.example.com", key)
    assert key not in str(caught.value)


@pytest.mark.parametrize("key", ["", "two\nlines", "ключ"])
def test_so_is_an_idempotency_key(key: str, clock: Clock) -> None:
    with pytest.raises(ValueError, match="idempotency_key"):
        clock.client(closed_port_url()).send(PHONE, idempotency_key=key)
    assert clock.slept == []


def test_the_end_of_the_line_in_a_keys_file_is_no_part_of_it(clock: Clock) -> None:
    with serve(say(says())) as server:
        clock.client(url_of(server), f"{KEY}\n").send(PHONE)
    assert header(server.requests[0], "Authorization") == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "url",
    ["", "otp.example.com", "ftp://otp.example.com", "https://", "https://me:pass@otp.example.com"],
)
def test_an_address_that_can_be_none_is_refused_at_once(url: str) -> None:
    for made in (lambda: OtpClient(url), lambda: ProofVerifier(url, audience="shop")):
        with pytest.raises(ValueError, match="base_url") as caught:
            made()
        assert "pass" not in str(caught.value)


def test_a_process_that_was_forked_has_connections_of_its_own(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(say(says())) as server:
        client = clock.client(url_of(server))
        client.send(PHONE)
        client.send(PHONE)
        assert server.connections == 1
        monkeypatch.setattr(os, "getpid", lambda: -1)
        client.send(PHONE)
        assert server.connections == 2


def test_errors_travel_between_processes(clock: Clock) -> None:
    """Through queues, pools of processes and test runners."""
    locked = refuses("429 Too Many Requests", "phone_locked", Retry_After="9")
    with serve(say(locked)) as server, pytest.raises(PhoneLocked) as caught:
        clock.client(url_of(server)).send(PHONE)
    again = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(again, PhoneLocked)
    assert (again.retry_after, str(again)) == (9, str(caught.value))
    lost = pickle.loads(pickle.dumps(NoAnswer("ReadTimeout", "k1")))
    assert (lost.idempotency_key, str(lost)) == ("k1", str(NoAnswer("ReadTimeout", "k1")))
